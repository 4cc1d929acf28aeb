using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Testing.Models;
using Orchestrator.Testing.Workloads;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>
/// The engine on models of llama.cpp that keep something else than keys and values of everything: a sliding window,
/// recurrent states, or both kinds of layers.
/// </summary>
public sealed class LlamaArchitectureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<TinyArchitecture> All =>
        [TinyArchitecture.Attention, TinyArchitecture.SlidingWindow, TinyArchitecture.Recurrent, TinyArchitecture.Hybrid];

    public static TheoryData<TinyArchitecture> Whole => [TinyArchitecture.Recurrent, TinyArchitecture.Hybrid];

    public static TheoryData<TinyArchitecture, bool, bool> Talks
    {
        get
        {
            var talks = new TheoryData<TinyArchitecture, bool, bool>();
            foreach (var architecture in All)
            {
                talks.Add(architecture, true, true);
                talks.Add(architecture, true, false);
                talks.Add(architecture, false, true);
                talks.Add(architecture, false, false);
            }

            return talks;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(All))]
    public async Task Chats(TinyArchitecture architecture)
    {
        await using var model = LoadedModel.Create(Driver(TinyModel.SharedPathOf(architecture), 1024, 4), new InferenceOptions(), TimeProvider.System);
        List<ChatMessage> messages = [new(ChatRole.User, "What failed?")];

        // Random weights write random bytes, which a transcript can't repeat; what is forced to be text it can.
        using var schema = JsonDocument.Parse("""{"enum":["the log","the request"]}""");
        var options = new ChatOptions { Temperature = 0, ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement) };
        var first = await model.Chat.GetResponseAsync(messages, options);
        messages.AddRange([.. first.Messages, new(ChatRole.User, "And why?")]);

        var second = ModelCall.From(await model.Chat.GetResponseAsync(messages, options))!;

        var before = ModelCall.From(first)!;
        Assert.True(before.TokenIds.Count > 0);
        Assert.True(second.ReusedTokens > before.PromptTokens, $"{second.ReusedTokens} of more than {before.PromptTokens} tokens were reused.");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Agents_who_answer_at_once_share_what_they_have_in_common(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture);
        var transcript = Words(engine, "The team looks for what went wrong last night. ", 90);
        var (computed, asked, fresh) = (0, 0, 90);
        for (var round = 0; round < 4; round++)
        {
            var cues = Enumerable.Range(0, 6).Select(agent => Words(engine, $"{round} agent {agent} says: ", 8)).ToArray();
            var answers = await Task.WhenAll(cues.Select(cue => Take(engine, Greedy([.. transcript, .. cue], 5))));
            computed += answers.Sum(a => a[^1].Cost!.ComputedTokens);
            asked += cues.Length * (transcript.Length + 8);
            fresh += cues.Length * 8;
            Assert.Empty(await engine.AuditAsync());

            // Each hears the others; the transcript grows by the same bytes for all.
            int[] said = [.. answers.SelectMany(a => a.Select(t => t.Token)).Where(t => t > 2).Concat(Words(engine, "so it was ", 30)).Take(30)];
            transcript = [.. transcript, .. said];
            fresh += round < 3 ? said.Length : 0;
        }

        // What can't be cut is computed once more where texts turn out to part; without sharing it would be all that was asked.
        Assert.InRange(computed, fresh / 2, engine.Model.CanCut ? fresh : asked / 3);
    }

    [Theory]
    [MemberData(nameof(Whole))]
    public async Task Agents_who_ask_in_turn_compute_it_twice_at_most(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture);
        var transcript = Words(engine, "The team looks for what went wrong last night. ", 90);
        var computed = new List<int>();
        for (var agent = 0; agent < 5; agent++)
        {
            var answer = await Take(engine, Greedy([.. transcript, agent + 20, .. Words(engine, "it was ", 9)], 4));
            computed.Add(answer[^1].Cost!.ComputedTokens);
        }

        // Nobody knows at first where the texts will part; at the second it is seen, and kept.
        Assert.Equal([100, 100, 10, 10, 10], computed);
        Assert.Empty(await engine.AuditAsync());
    }

    [Theory]
    [MemberData(nameof(Talks))]
    public async Task In_a_conversation_each_token_is_computed_once(TinyArchitecture architecture, bool atOnce, bool keepsCue)
    {
        await using var engine = Open(architecture, sequences: 24);
        var talk = new TeamTalk(engine, atOnce, keepsCue);

        await talk.RunAsync();

        Assert.Equal(talk.New, talk.Computed);
        Assert.Empty(await engine.AuditAsync());
        await engine.ClearCacheAsync();
        Assert.Empty(await engine.AuditAsync());
        Assert.Equal(0, engine.GetStatistics().CellsUsed);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task An_answer_asked_for_again_is_the_same(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture);
        var prompt = Words(engine, "The service writes an error with the time. ", 60);
        var first = await Take(engine, Greedy(prompt, 16));
        var again = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Take(engine, Greedy(prompt, 16))));
        var last = await Take(engine, Greedy(prompt, 16));

        Assert.All([.. again, last], answer => Assert.Equal(first.Select(t => t.Token), answer.Select(t => t.Token)));
        Assert.Equal(0, last[^1].Cost!.ComputedTokens);
        Assert.Empty(await engine.AuditAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task What_was_evicted_is_read_back_from_memory(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture, context: 256, sequences: 2);
        await using var alone = Open(architecture);
        var prompt = Words(engine, "The planner makes a plan. ", 120);
        var said = await Take(engine, Greedy(prompt, 8));
        for (var other = 0; other < 3; other++)
        {
            await Take(engine, Greedy([other + 30, .. Words(engine, "The reviewer asks for evidence. ", 119)], 4));
        }

        int[] next = [.. prompt, .. said.Select(t => t.Token), .. Words(engine, "So what now? ", 5)];
        var answer = await Take(engine, Greedy(next, 8));

        Assert.True(engine.GetStatistics().RestoredTokens >= 120, $"{engine.GetStatistics().RestoredTokens} tokens were read back.");
        Assert.InRange(answer[^1].Cost!.ComputedTokens, 5, 14);
        await alone.ClearCacheAsync();
        Assert.Equal(Decided(await Take(alone, Greedy(next, 8))), Decided(answer));
        Assert.Empty(await engine.AuditAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task What_was_kept_on_disk_is_read_back_by_the_next_host(TinyArchitecture architecture)
    {
        var options = new InferenceEngineOptions { StateFolder = _folder.File("states") };
        int[] prompt;
        List<GeneratedToken> said;
        await using (var first = Open(architecture, options))
        {
            prompt = Words(first, "Each agent has a role. ", 80);
            said = await Take(first, Greedy(prompt, 6));
        }

        await using var second = Open(architecture, options);
        var answer = await Take(second, Greedy([.. prompt, .. said.Select(t => t.Token), 40, 41], 4));

        Assert.True(second.GetStatistics().DiskRestoredTokens >= 80);
        Assert.InRange(answer[^1].Cost!.ComputedTokens, 2, 4);
        Assert.Empty(await second.AuditAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Options_are_scored_as_they_are_alone(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture);
        await using var alone = Open(architecture);
        var prefix = Words(engine, "When the first request fails, ", 40);
        var options = Enumerable.Range(0, 6).Select(i => Words(engine, $"option {i} is the cause ", 6 + i)).ToArray();
        var result = await engine.ScoreAsync(new ScoreRequest { Sequences = [.. options.Select(o => new ScoreSequence(prefix, o))] });

        for (var i = 0; i < options.Length; i++)
        {
            await alone.ClearCacheAsync();
            var expected = (await alone.ScoreAsync(new ScoreRequest { Sequences = [new ScoreSequence(prefix, options[i])] })).LogProbabilities[0];
            Assert.Equal(expected.Sum(), result.LogProbabilities[i].Sum(), 0.05f);
        }

        Assert.InRange(result.ComputedTokens, 1, 40 + options.Sum(o => o.Length));
        Assert.Empty(await engine.AuditAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_cancelled_answer_leaves_the_others_and_its_prompt_untouched(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture);
        await using var alone = Open(architecture);
        var prompt = Words(engine, "The analyst reads the log. ", 200);
        var kept = Take(engine, Greedy([.. prompt, 50], 20));
        using (var cancel = new CancellationTokenSource())
        {
            var cancelled = Take(engine, Greedy([.. prompt, 51], 200), cancel, after: 3);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        Assert.Equal(Decided(await Take(alone, Greedy([.. prompt, 50], 20))), Decided(await kept));
        Assert.Empty(await engine.AuditAsync());
        Assert.Equal(0, engine.GetStatistics().ActiveRequests);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Many_conversations_leave_no_cell_behind(TinyArchitecture architecture)
    {
        await using var engine = Open(architecture, new InferenceEngineOptions { StateCacheBytes = 1 << 20 }, context: 2048, sequences: 12);
        var result = await new ConversationLoad(engine, new() { Conversations = 24, Turns = 3 }).RunAsync();

        Assert.Equal((24 * 3, 0), (result.Turns, result.Malformed));
        Assert.Empty(await engine.AuditAsync());
        await engine.ClearCacheAsync();
        Assert.Empty(await engine.AuditAsync());
        Assert.Equal((0, 0), (engine.GetStatistics().CellsUsed, engine.GetStatistics().ActiveRequests));
    }

    [Theory]
    [MemberData(nameof(Whole))]
    public async Task What_cannot_be_done_is_refused_with_the_reason(TinyArchitecture architecture)
    {
        var path = TinyModel.SharedPathOf(architecture);
        var adapter = TinyAdapter.Create(_folder.File("activated.gguf"), path, new TinyAdapterOptions
        {
            Targets = architecture == TinyArchitecture.Recurrent ? ["ssm_in"] : ["attn_q"],
            InvocationTokens = [60, 61],
        });
        await using var engine = new InferenceEngine(Driver(path, 512, 4), adapterPath: _ => adapter);

        var error = await Assert.ThrowsAsync<InferenceException>(() => Take(engine, Greedy([40, 41, 60, 61, 42], 4) with
        {
            Origin = new ModelRequest { Adapters = [new AdapterUse("activated")] },
        }));
        Assert.Equal(InferenceError.Adapter, error.Error);
        Assert.Contains("can't be shared in parts", error.Message, StringComparison.Ordinal);

        using var draft = Driver(path, 512, 4);
        Assert.Throws<OrchestratorException>(() => new InferenceEngine(Driver(TinyModel.SharedPath, 512, 4), draft: draft));
    }

    private static IModelDriver Driver(string path, int context, int sequences) => LlamaDriverLoader.Open(new LlamaDriverOptions
    {
        ModelPath = path,
        ContextSize = context,
        MaxSequences = sequences,
        BatchSize = 64,
        Threads = 1,
    });

    private static InferenceEngine Open(TinyArchitecture architecture, InferenceEngineOptions? options = null, int context = 2048, int sequences = 16) => new(
        Driver(TinyModel.SharedPathOf(architecture), context, sequences), (options ?? new InferenceEngineOptions()) with { Speculation = SpeculationOptions.Off });

    private static int[] Words(InferenceEngine engine, string text, int count)
    {
        var words = engine.Tokenizer.Tokenize(text, parseSpecial: false);
        return [.. Enumerable.Range(0, count).Select(i => words[i % words.Length])];
    }

    private static GenerationRequest Greedy(IReadOnlyList<int> prompt, int count) => new()
    {
        Prompt = prompt,
        MaxTokens = count,
        Sampling = new SamplingOptions { Temperature = 0, TopLogProbabilities = 2 },
    };

    /// <summary>The tokens up to the first whose margin is within the rounding of a batch.</summary>
    private static IEnumerable<int> Decided(List<GeneratedToken> answer) =>
        answer.TakeWhile(t => t.Alternatives![0].LogProbability - t.Alternatives[1].LogProbability >= 0.01f).Select(t => t.Token);

    private static async Task<List<GeneratedToken>> Take(
        InferenceEngine engine, GenerationRequest request, CancellationTokenSource? cancel = null, int after = 0)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in engine.GenerateAsync(request, cancel?.Token ?? default))
        {
            tokens.Add(token);
            if (tokens.Count == after)
            {
                await cancel!.CancelAsync();
            }
        }

        return tokens;
    }
}
