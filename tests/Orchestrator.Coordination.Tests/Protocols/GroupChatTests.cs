using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Protocols;

public sealed class GroupChatTests
{
    private static readonly CoordinationOptions Options = new()
    {
        TurnTimeout = TimeSpan.FromMilliseconds(5),
        CancellationGrace = TimeSpan.Zero,
    };

    private enum Mind
    {
        Talks, Repeats, Throws, Hangs, HangsForGood, Silent, Cancels,
    }

    [Fact]
    public async Task Members_speak_in_their_order_and_no_two_cues_are_lost()
    {
        var (result, events) = await RunAsync(new RoundRobinChat(), [Talker("ann"), Talker("bob")], rounds: 2);
        Assert.Equal(["ann", "bob", "ann", "bob"], result.Transcript.Messages.Select(m => m.From));
        Assert.Equal((ConversationEnd.RoundLimit, 2, 4), (result.End, result.Rounds, result.Turns));
        Assert.Equal(result.Transcript.Messages, events.OfType<MessagePosted>().Select(e => e.Message));
        Assert.All(events.OfType<MessagePosted>(), e => Assert.NotNull(e.Cue));
    }

    [Fact]
    public async Task The_likelihood_decides_who_speaks_and_when_it_is_settled()
    {
        var scorer = new ScriptedChoiceScorer("cid", "ann", "nobody");
        var (result, _) = await RunAsync(
            new ModeratedChat(Options, TimeProvider.System), [Talker("ann"), Talker("bob"), Talker("cid")], scorer);
        Assert.Equal(["cid", "ann"], result.Transcript.Messages.Select(m => m.From));
        Assert.Equal(ConversationEnd.Settled, result.End);
        Assert.Equal(["ann", "bob"], scorer.Questions[1].Options.Select(o => o.Name));
        Assert.Equal(["bob", "nobody"], scorer.Questions[2].Options.Select(o => o.Name));
    }

    [Fact]
    public async Task Members_who_only_repeat_each_other_have_stalled()
    {
        var (result, _) = await RunAsync(
            new RoundRobinChat(), [Says("ann", "Thank you, I agree with that."), Says("bob", "thank you, I agree WITH that!")], rounds: 50);
        Assert.Equal((ConversationEnd.Stalled, 3), (result.End, result.Turns));
    }

    [Fact]
    public async Task A_member_who_fails_twice_is_not_asked_again_and_the_last_one_left_may_go_on()
    {
        var broken = new ScriptedAgent("ann", (_, _) => throw new InvalidOperationException("I am broken."));
        var (result, events) = await RunAsync(new RoundRobinChat(), [broken, Talker("bob")], rounds: 4);
        Assert.Equal(2, broken.Turns.Count);
        Assert.Equal(4, result.Turns);
        Assert.Equal(
            [("ann", "I am broken."), ("ann", "I am broken.")],
            events.OfType<RunFailed>().Select(e => (e.Agent, e.Message)));
    }

    [Fact]
    public async Task Tool_results_stand_before_the_answer_cut_to_length()
    {
        var agent = new ScriptedAgent("ann", (_, _) => Task.FromResult(new AgentReply(
            "done", ToolResults: [new ToolResult("logs-search", JsonDocument.Parse("{}").RootElement, new string('x', 2000)), new ToolResult("a-b", JsonDocument.Parse("{}").RootElement, "no", true)])));
        var (result, _) = await RunAsync(new RoundRobinChat(), [agent]);
        Assert.Equal(["logs-search", "a-b", "ann"], result.Transcript.Messages.Select(m => m.From));
        Assert.EndsWith("xxx …", result.Transcript.Messages.First().Text, StringComparison.Ordinal);
        Assert.InRange(result.Transcript.Messages.First().Text.Length, 800, 850);
    }

    [Fact]
    public async Task A_scorer_that_fails_leaves_the_order()
    {
        var scorer = new ScriptedChoiceScorer(_ => throw new InvalidOperationException("no"));
        var (result, events) = await RunAsync(
            new ModeratedChat(Options, TimeProvider.System), [Talker("ann"), Talker("bob")], scorer, rounds: 1);
        Assert.Equal(["ann", "bob"], result.Transcript.Messages.Select(m => m.From));
        Assert.NotEmpty(events.OfType<RunFailed>());
    }

    [Property(MaxTest = 150)]
    public Property A_chat_ends_with_a_reason_whatever_the_members_and_the_scorer_do() => Prop.ForAll(
        (from minds in Gen.NonEmptyListOf(Gen.Elements(Enum.GetValues<Mind>()))
         from rounds in Gen.Choose(1, 4)
         from moderated in Gen.Elements(true, false)
         from scorer in Gen.Elements(Enum.GetValues<Mind>())
         from seed in Gen.Choose(0, 1000)
         select (minds: minds.Take(5).ToArray(), rounds, moderated, scorer, seed)).ToArbitrary(),
        c =>
        {
            var agents = c.minds.Select((mind, i) => Agent($"m{i}", mind, c.seed + i)).ToArray();
            GroupChat chat = c.moderated ? new ModeratedChat(Options, TimeProvider.System) : new RoundRobinChat();
            var (result, events) = RunAsync(chat, agents, new MindScorer(c.scorer, c.seed), c.rounds).GetAwaiter().GetResult();
            var asked = agents.Sum(a => a.Turns.Count);
            Assert.InRange(asked, 0, c.rounds * agents.Length); // One that is not begun by its deadline is not asked.
            Assert.InRange(events.OfType<RoundStarted>().Count(), 1, c.rounds);
            Assert.Equal(result.Turns, result.Transcript.Count);
            if (agents.Length > 1 && c.minds.All(m => m is Mind.Talks or Mind.Repeats))
            {
                var order = result.Transcript.Messages.Select(m => m.From).ToArray();
                Assert.DoesNotContain(order.Zip(order.Skip(1)), pair => pair.First == pair.Second);
            }
        });

    [Fact]
    public async Task Cancellation_stops_a_chat_whose_member_never_returns()
    {
        using var stop = new CancellationTokenSource();
        var hanging = new ScriptedAgent("ann", (_, _) =>
        {
            stop.Cancel();
            return new TaskCompletionSource<AgentReply>().Task;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => RunAsync(new RoundRobinChat(), [hanging], timeout: TimeSpan.FromHours(1), cancellationToken: stop.Token));
    }

    private static ScriptedAgent Agent(string name, Mind mind, int seed) => mind switch
    {
        Mind.Talks => Talker(name),
        Mind.Repeats => Says(name, "Yes, I do agree with you."),
        Mind.Throws => new ScriptedAgent(name, (_, _) => throw new FormatException("no")),
        Mind.Hangs => new ScriptedAgent(name, async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return new AgentReply("");
        }),
        Mind.HangsForGood => new ScriptedAgent(name, (_, _) => new TaskCompletionSource<AgentReply>().Task),
        Mind.Silent => Says(name, ""),
        _ => new ScriptedAgent(name, (turn, _) => turn.Transcript.Count % 2 == seed % 2
            ? Task.FromCanceled<AgentReply>(new CancellationToken(true))
            : Task.FromResult<AgentReply>(null!)),
    };

    private static ScriptedAgent Talker(string name)
    {
        var said = 0;
        return Says(name, () => $"{name} now says number {said++} of many things");
    }

    private static ScriptedAgent Says(string name, string text) => Says(name, () => text);

    private static ScriptedAgent Says(string name, Func<string> text) => new(name, _ => text());

    private static async Task<(ConversationResult Result, IReadOnlyList<RunEvent> Events)> RunAsync(
        GroupChat chat,
        IReadOnlyList<ScriptedAgent> agents,
        IChoiceScorer? scorer = null,
        int rounds = 1,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        await using var journal = new MemoryRunJournal("r1", TimeProvider.System);
        var options = new CoordinationOptions
        {
            TurnTimeout = timeout ?? (agents.Any(a => a.Card.Name.StartsWith('m')) ? Options.TurnTimeout : TimeSpan.FromMinutes(1)),
            CancellationGrace = TimeSpan.Zero,
        };
        var result = await chat.RunAsync(
            new Conversation
            {
                Members = agents,
                Transcript = Transcript.Begin("A team."),
                Question = "What is it?",
                MaxRounds = rounds,
                Turns = new TurnTaker(journal, TimeProvider.System, options),
                Journal = journal,
                Scorer = scorer ?? new ScriptedChoiceScorer(q => q.Options[0].Name),
            },
            cancellationToken);
        return (result, journal.Events);
    }

    private sealed class MindScorer(Mind mind, int seed) : IChoiceScorer
    {
        private readonly Random _random = new(seed);

        public async Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
        {
            switch (mind)
            {
                case Mind.Throws:
                    throw new FormatException("no");
                case Mind.Hangs:
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                    break;
                case Mind.HangsForGood:
                    await new TaskCompletionSource().Task;
                    break;
                case Mind.Cancels:
                    throw new OperationCanceledException();
                case Mind.Silent:
                    return [];
                default:
                    break;
            }

            return [.. questions.Select(q => ChoiceQuestions.Normalise(
                q, [.. q.Options.Select(_ => -10 * _random.NextDouble())], ChoiceMethod.Channel))];
        }
    }
}
