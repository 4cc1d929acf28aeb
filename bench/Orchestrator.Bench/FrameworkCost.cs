using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Agents;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;

namespace Orchestrator.Bench;

/// <summary>
/// What a turn of a group chat costs beside the model: agents, protocol, transcript, journal. The model answers at
/// once with a ready text, so nothing else is measured. Agents, chat and journals are those of a run.
/// </summary>
internal static class FrameworkCost
{
    private const int Agents = 8;
    private const double MemoryLimit = 0.1;
    private const double LogLimit = 0.5;
    private static readonly int[] Turns = [40, 200, 800, 10_000];

    internal static async Task<int> RunAsync()
    {
        foreach (var moderated in new[] { false, true })
        {
            await MeasureAsync(800, moderated, log: false); // Warm up: compile what is measured.
            await MeasureAsync(800, moderated, log: true);
        }

        var rows = new List<Row>();
        Console.WriteLine("protocol     turns  journal  ms/turn  first tenth  last tenth  collecting  limit");
        foreach (var moderated in new[] { false, true })
        {
            foreach (var turns in Turns)
            {
                foreach (var log in new[] { false, true })
                {
                    var row = await BestOfThreeAsync(turns, moderated, log);
                    rows.Add(row);
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{row.Protocol,-10} {row.Turns,7}  {row.Journal,-7} {row.PerTurn,8:0.0000} {row.FirstTenth,12:0.0000} {row.LastTenth,11:0.0000} {row.Collecting,11:0.0000} {row.Limit,6:0.0}{(row.PerTurn <= row.Limit ? "" : "  EXCEEDED")}"));
                }
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(rows, JsonSerializerOptions.Web));
        return rows.TrueForAll(r => r.PerTurn <= r.Limit) ? 0 : 1;
    }

    private static async Task<Row> BestOfThreeAsync(int turns, bool moderated, bool log)
    {
        var runs = new List<Row>();
        for (var i = 0; i < 3; i++)
        {
            runs.Add(await MeasureAsync(turns, moderated, log));
        }

        return runs.MinBy(r => r.PerTurn)!;
    }

    private static async Task<Row> MeasureAsync(int turns, bool moderated, bool log)
    {
        var folder = Directory.CreateTempSubdirectory("orchestrator-bench-").FullName;
        var times = new List<long>(turns + 1);
        var pauses = TimeSpan.Zero;
        try
        {
            await using IRunJournal journal = log
                ? FileRunJournal.Create(folder, "bench", TimeProvider.System)
                : new MemoryRunJournal("bench", TimeProvider.System);
            using var client = new JournalingChatClient(new InstantModel(), journal);
            IAgent[] agents = [.. Enumerable.Range(0, Agents).Select(i => (IAgent)new Agent(
                new AgentCard($"agent{i}", "analyst", $"Knows part {i} of the system and says what it sees there.", [], []),
                client,
                Kernel.CreateBuilder().Build()))];
            var options = new CoordinationOptions();
            var taker = new TurnTaker(journal, TimeProvider.System, options)
            {
                TokensLeft = () =>
                {
                    times.Add(Stopwatch.GetTimestamp());
                    return int.MaxValue;
                },
            };
            GroupChat chat = moderated ? new ModeratedChat(options, TimeProvider.System) : new RoundRobinChat();
            var conversation = new Conversation
            {
                Members = agents,
                Transcript = Transcript.Begin(string.Join(' ', Enumerable.Repeat("The team looks for the cause.", 40))),
                Question = "What is the cause?",
                MaxRounds = turns / Agents,
                Turns = taker,
                Journal = journal,
                Scorer = client.GetChoiceScorer(),
            };
            GC.Collect();
            var before = GC.GetTotalPauseDuration();
            var result = await chat.RunAsync(conversation);
            times.Add(Stopwatch.GetTimestamp());
            pauses = GC.GetTotalPauseDuration() - before;
            if (result.Turns != turns)
            {
                throw new InvalidOperationException($"The chat ended after {result.Turns} of {turns} turns: {result.End}.");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        double Mean(int from, int to) => Stopwatch.GetElapsedTime(times[from], times[to]).TotalMilliseconds / (to - from);

        // A few collections of a large live heap would hide whether the work of a turn grows, so tenths are medians.
        double Median(int from, int to)
        {
            var each = Enumerable.Range(from, to - from)
                .Select(i => Stopwatch.GetElapsedTime(times[i], times[i + 1]).TotalMilliseconds)
                .Order()
                .ToArray();
            return each[each.Length / 2];
        }

        var tenth = turns / 10;
        return new Row(
            moderated ? "moderated" : "roundRobin",
            turns,
            log ? "file" : "memory",
            Mean(0, turns),
            Median(0, tenth),
            Median(turns - tenth, turns),
            pauses.TotalMilliseconds / turns,
            log ? LogLimit : MemoryLimit);
    }

    /// <summary>Milliseconds a turn: the mean, the medians of the first and the last tenth, and garbage collection's share.</summary>
    private sealed record Row(
        string Protocol,
        int Turns,
        string Journal,
        double PerTurn,
        double FirstTenth,
        double LastTenth,
        double Collecting,
        double Limit);

    /// <summary>Answers at once with a text that is new each time; chooses the first option.</summary>
    private sealed class InstantModel : IChatClient, IChoiceScorer
    {
        private static readonly int[] Tokens = [.. Enumerable.Range(0, 40)];
        private static readonly float[] LogProbabilities = [.. Enumerable.Repeat(-0.5f, 40)];
        private int _answers;

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var n = Interlocked.Increment(ref _answers);
            var call = new ModelCall { Model = "instant", TokenIds = Tokens, LogProbabilities = LogProbabilities, PromptTokens = n };
            return Task.FromResult(new ChatResponse(new ChatMessage(
                ChatRole.Assistant, $"Step {n} shows error {n * 7} of service {n % 13} at line {n * 31}, so part {n % 5} is to be looked at next."))
            {
                FinishReason = ChatFinishReason.Stop,
                AdditionalProperties = call.ApplyTo(null),
            });
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            {
                yield return update;
            }
        }

        public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<ChoiceResult>>([.. questions.Select(q =>
                ChoiceQuestions.Normalise(q, [.. q.Options.Select((_, i) => -(double)i)], ChoiceMethod.Channel))]);

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }
    }
}
