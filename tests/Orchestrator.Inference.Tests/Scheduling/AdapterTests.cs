using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>Adapters come, act where they should, and go, while others are served.</summary>
public class AdapterTests
{
    private static readonly int[] Invocation = Text("!!");
    private static readonly FakeDriverOptions Activated = new()
    {
        EndLogit = -10,
        Invocation = path => path.EndsWith("alora", StringComparison.Ordinal) ? Invocation : [],
    };

    [Fact]
    public async Task An_adapter_is_loaded_once_and_freed_when_removed()
    {
        await using var harness = new EngineHarness();
        var prompt = Text("what is loaded once is kept until it is removed");
        var before = await harness.Generate(Greedy(prompt, 5, new AdapterUse("a")));
        await harness.Generate(Greedy(prompt, 5, new AdapterUse("a", 0.5f), new AdapterUse("b")));
        Assert.Equal(2, harness.Driver.AdaptersLoaded);
        Assert.Equal(2, harness.Engine.GetStatistics().AdaptersLoaded);

        await harness.Engine.RemoveAdapterAsync("a");
        Assert.Equal(1, harness.Driver.AdaptersLoaded);
        Assert.Equal(0, harness.Driver.CountUsedCells());
        Assert.Empty(await harness.Engine.AuditAsync());
        await harness.Engine.RemoveAdapterAsync("never loaded");

        var again = await harness.Generate(Greedy(prompt, 5, new AdapterUse("a")));
        Assert.Equal(before.Select(t => t.Token), again.Select(t => t.Token));
        Assert.Equal(0, again[^1].Cost!.ReusedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Requests_that_use_an_adapter_are_served_before_it_goes_and_later_ones_wait()
    {
        using var gate = new ManualResetEventSlim();
        using var begun = new ManualResetEventSlim();
        await using var harness = new EngineHarness(new FakeDriverOptions
        {
            EndLogit = -10,
            OnDecode = _ =>
            {
                begun.Set();
                gate.Wait();
                return null;
            },
        });
        var prompt = Text("drain");
        var early = harness.Generate(Greedy(prompt, 20, new AdapterUse("a")));
        begun.Wait();
        var removed = harness.Engine.RemoveAdapterAsync("a");
        var late = harness.Generate(Greedy(prompt, 20, new AdapterUse("a")));
        var other = harness.Generate(Greedy(prompt, 20));
        Assert.False(removed.IsCompleted);
        gate.Set();
        await removed;
        var expected = Alone(prompt, 20, null, new AdapterUse("a"));
        Assert.Equal(expected, (await early).Select(t => t.Token));
        Assert.Equal(expected, (await late).Select(t => t.Token));
        Assert.Equal(0, (await late)[^1].Cost!.ReusedTokens);
        await other;
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_file_that_was_replaced_is_loaded_anew_and_one_that_went_is_refused()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("tone.gguf");
        await File.WriteAllTextAsync(path, "one");
        await using var engine = new InferenceEngine(new FakeDriver(), adapterPath: _ => File.Exists(path) ? path : null);
        var request = Greedy(Text("the same prompt"), 3, new AdapterUse("tone"));
        Assert.Equal(0, (await Cost(engine, request)).ReusedTokens);
        Assert.True((await Cost(engine, request)).ReusedTokens > 0);
        await File.WriteAllTextAsync(path, "another");
        Assert.Equal(0, (await Cost(engine, request)).ReusedTokens);
        Assert.Equal(1, engine.GetStatistics().AdaptersLoaded);
        File.Delete(path);
        var gone = await Assert.ThrowsAsync<InferenceException>(() => Cost(engine, request));
        Assert.Equal(InferenceError.Adapter, gone.Error);
        Assert.Equal(0, (await Cost(engine, Greedy(Text("base"), 3))).ReusedTokens);
        Assert.Equal(0, engine.GetStatistics().AdaptersLoaded);
        Assert.Empty(await engine.AuditAsync());
    }

    [Fact]
    public async Task No_set_of_adapters_starves()
    {
        const int Turn = 4;
        var order = new List<string>();
        using var asked = new ManualResetEventSlim();
        EngineHarness? harness = null;
        harness = new EngineHarness(
            new FakeDriverOptions { EndLogit = -10, ContextSize = 1 << 14, OnDecode = _ => Note() },
            new InferenceEngineOptions { AdapterTurn = Turn });
        await using var owned = harness;
        var sets = Enumerable.Range(0, 6).Select(i => new AdapterUse($"a{i}")).ToArray();
        var answers = sets.SelectMany(a => Enumerable.Range(0, 4).Select(i => harness.Generate(Greedy(Text($"{i} asks {a.Name}"), 60, a)))).ToArray();
        asked.Set();
        await Task.WhenAll(answers);

        // From the step in which all are at work to the one in which the first is done.
        var paths = sets.Select(s => EngineHarness.Path(s.Name)!).ToList();
        var window = order[paths.Max(order.IndexOf)..(paths.Min(order.LastIndexOf) + 1)];
        Assert.InRange(window.Count, 100, 400);
        foreach (var path in paths)
        {
            var turns = window.Select((p, i) => (Path: p, Index: i)).Where(x => x.Path == path).Select(x => x.Index).Prepend(-1).Append(window.Count).ToList();
            Assert.InRange(turns.Zip(turns.Skip(1), (a, b) => b - a).Max(), 2, ((sets.Length - 1) * Turn) + 1);
        }

        await harness.AssertClean();

        DecodeStatus? Note()
        {
            // All have asked before the first step ends, however busy the machine is.
            asked.Wait();
            order.Add(harness!.Driver.AdaptersSet.SingleOrDefault() ?? "base");
            return null;
        }
    }

    [Fact]
    public async Task An_activated_adapter_shares_the_base_up_to_its_invocation()
    {
        await using var harness = new EngineHarness(Activated);
        var shared = Text("a long text that all of them have read, and none of them will compute again");
        await harness.Generate(Greedy(shared, 1));
        int[] prompt = [.. shared, .. Invocation, .. Text(" judge")];
        var answer = await harness.Generate(Greedy(prompt, 20, new AdapterUse("alora")));
        Assert.Equal(Alone(prompt, 20, Activated, new AdapterUse("alora")), answer.Select(t => t.Token));
        Assert.Equal(shared.Length, answer[^1].Cost!.ReusedTokens);
        Assert.Equal(prompt.Length - shared.Length, answer[^1].Cost!.ComputedTokens);

        // And the other way round: what it computed before the invocation is the base's too.
        int[] second = [.. Text("another beginning of it all"), .. Invocation, .. Text("?")];
        var activated = await harness.Generate(Greedy(second, 5, new AdapterUse("alora")));
        Assert.Equal(second.Length, activated[^1].Cost!.ComputedTokens);
        var plain = await harness.Generate(Greedy(second, 5));
        Assert.Equal(second.Length - Invocation.Length - 1, plain[^1].Cost!.ReusedTokens);
        Assert.Equal(Alone(second, 5, Activated), plain.Select(t => t.Token));

        // Asked again, nothing of the prompt is computed.
        Assert.Equal(0, (await harness.Generate(Greedy(prompt, 20, new AdapterUse("alora"))))[^1].Cost!.ComputedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task An_activated_adapter_that_is_not_invoked_is_the_base()
    {
        await using var harness = new EngineHarness(Activated);
        var prompt = Text("nobody calls");
        var plain = await harness.Generate(Greedy(prompt, 8));
        var named = await harness.Generate(Greedy(prompt, 8, new AdapterUse("alora")));
        Assert.Equal(plain.Select(t => t.Token), named.Select(t => t.Token));
        Assert.Equal(0, named[^1].Cost!.ComputedTokens);
        var two = await Assert.ThrowsAsync<InferenceException>(
            () => harness.Generate(Greedy(prompt, 8, new AdapterUse("alora"), new AdapterUse("second alora"))));
        Assert.Contains("second alora", two.Message, StringComparison.Ordinal);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Scores_under_an_activated_adapter_are_those_of_one_sequence_alone()
    {
        await using var harness = new EngineHarness(Activated);
        int[] prefix = [.. Text("some evidence "), .. Invocation, .. Text("so")];
        ScoreSequence[] sequences =
        [
            new(prefix, Text(" yes")), new(prefix, Text(" no")), new([.. prefix, .. Invocation], Text(" yes")),
            new(Text("some evidence "), [.. Invocation, .. Text("so yes")]),
        ];
        var origin = new ModelRequest { Adapters = [new AdapterUse("alora")] };
        var together = await harness.Engine.ScoreAsync(new ScoreRequest { Sequences = sequences, Origin = origin });
        for (var i = 0; i < sequences.Length; i++)
        {
            await using var alone = new EngineHarness(Activated);
            var one = await alone.Engine.ScoreAsync(new ScoreRequest { Sequences = [sequences[i]], Origin = origin });
            Assert.Equal(one.LogProbabilities[0], together.LogProbabilities[i]);
        }

        await harness.AssertClean();
    }

    [Fact]
    public async Task What_was_done_is_counted_by_agent_with_an_end_to_their_number()
    {
        await using var harness = new EngineHarness(new FakeDriverOptions { ContextSize = 128, EndLogit = -10 });
        for (var i = 0; i < EngineCounters.MostAgents + 20; i++)
        {
            await harness.Generate(Greedy(Text($"{i} says what nobody else says, at length"), 4) with { Origin = new ModelRequest { Agent = $"agent {i}" } });
        }

        var statistics = harness.Engine.GetStatistics();
        Assert.Equal(EngineCounters.MostAgents + 1, statistics.Agents.Count);
        Assert.True(statistics.Agents[EngineCounters.OtherAgents].ComputedTokens > 0);
        Assert.True(statistics.Agents["agent 0"].EvictedTokens > 0);
        Assert.Equal(statistics.EvictedTokens, statistics.Agents.Values.Sum(a => a.EvictedTokens));
        Assert.Equal(statistics.ComputedTokens, statistics.Agents.Values.Sum(a => a.ComputedTokens));

        var figures = new EngineFigures(harness.Engine).Read();
        Assert.All(figures, f => Assert.Equal("fake", f.Labels!.Single(l => l.Key == "model").Value));
        Assert.Equal(statistics.EvictedTokens, figures.Single(f => f.Name == "kv_evicted_tokens_total").Value);
        Assert.Equal(statistics.Agents.Count, figures.Count(f => f.Name == "agent_kv_evicted_tokens_total"));
    }

    private static async Task<GenerationCost> Cost(InferenceEngine engine, GenerationRequest request)
    {
        GenerationCost? cost = null;
        await foreach (var token in engine.GenerateAsync(request))
        {
            cost = token.Cost ?? cost;
        }

        return cost!;
    }
}
