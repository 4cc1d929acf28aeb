using Microsoft.Extensions.Time.Testing;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

public class CacheTests
{
    private static readonly FakeDriverOptions Small = new() { ContextSize = 160, BatchSize = 32, MaxSequences = 4, EndLogit = -10 };

    private static int[] Long(char letter) => [.. Enumerable.Range(0, 100).Select(i => letter + (i % 7))];

    [Fact]
    public async Task An_evicted_sequence_is_read_back_from_memory()
    {
        await using var harness = new EngineHarness(Small);
        await harness.Generate(Greedy(Long('a'), 2));
        await harness.Generate(Greedy(Long('m'), 2));

        var again = await harness.Generate(Greedy(Long('a'), 10));

        Assert.InRange(again[^1].Cost!.ComputedTokens, 1, 40);
        Assert.Equal(Alone(Long('a'), 10, Small), again.Select(t => t.Token));
        Assert.Empty(await harness.Engine.AuditAsync());
        Assert.True(harness.Engine.GetStatistics().RestoredTokens > 0);
        await harness.AssertClean();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Those_who_wait_for_a_shared_beginning_go_on_together_with_the_one_who_computes_it(bool canCut)
    {
        var batches = new List<int>();
        using var go = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var options = new FakeDriverOptions
        {
            ContextSize = 1024,
            BatchSize = 256,
            EndLogit = -10,
            CanCut = canCut,
            OnDecode = batch =>
            {
                batches.Add(batch.Count);
                entered.Set();
                go.Wait();
                return null;
            },
        };
        await using var harness = new EngineHarness(options);
        var blocker = harness.Generate(Greedy([1], 1));
        entered.Wait();
        var agents = Enumerable.Range(0, 8)
            .Select(agent => harness.Generate(Greedy([.. Long('a'), .. Enumerable.Repeat('A' + agent, 8)], 4)))
            .ToList();
        go.Set();

        await blocker;
        await Task.WhenAll(agents);

        // The beginning, all that follows it, and three more steps for the eight answers.
        Assert.Equal([1, 100, 64, 8, 8, 8], batches);
        Assert.Equal(164, (await Task.WhenAll(agents)).Sum(a => a[^1].Cost!.ComputedTokens));
        await harness.AssertClean();
    }

    [Fact]
    public async Task Without_memory_it_is_computed_again()
    {
        await using var harness = new EngineHarness(Small, new InferenceEngineOptions { StateCacheBytes = 0 });
        await harness.Generate(Greedy(Long('a'), 2));
        await harness.Generate(Greedy(Long('m'), 2));
        var again = await harness.Generate(Greedy(Long('a'), 10));
        Assert.InRange(again[^1].Cost!.ComputedTokens, 41, 100);
        Assert.Equal(Alone(Long('a'), 10, Small), again.Select(t => t.Token));
    }

    [Fact]
    public async Task A_deadline_ends_a_request_and_an_urgent_one_goes_first()
    {
        var time = new FakeTimeProvider();
        var order = new List<char>();
        using var go = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var options = new FakeDriverOptions
        {
            EndLogit = -10,
            OnDecode = batch =>
            {
                // The engine's own order: callers may hear of it in another.
                if (batch.Positions[0] == 0)
                {
                    order.Add((char)batch.Tokens[0]);
                }

                entered.Set();
                go.Wait();
                return null;
            },
        };
        await using var harness = new EngineHarness(options, new InferenceEngineOptions { MaxActive = 1 }, time);
        var first = Named("first", new ModelRequest());
        entered.Wait();
        var late = Named("late", new ModelRequest { Deadline = time.GetUtcNow() + TimeSpan.FromSeconds(5) });
        var ordinary = Named("ordinary", new ModelRequest());
        var urgent = Named("urgent", new ModelRequest { Priority = 3 });
        time.Advance(TimeSpan.FromSeconds(6));
        go.Set();

        var error = await Assert.ThrowsAsync<InferenceException>(() => late);
        await Task.WhenAll(first, ordinary, urgent);

        Assert.Equal(InferenceError.DeadlineExceeded, error.Error);
        Assert.Equal(['f', 'u', 'o'], order);
        await harness.AssertClean();

        Task<List<GeneratedToken>> Named(string name, ModelRequest origin) =>
            harness.Generate(Greedy(Text(name), 20) with { Origin = origin });
    }

    [Fact]
    public async Task What_is_scored_may_be_computed_beside_a_prompt_of_the_same_tokens()
    {
        // The prompt takes two batches. What is scored begins at the end of the first, whose logits nobody kept, so that both
        // compute the same tokens in the second, and the prompt ends behind what is scored.
        Task<ScoreResult>? scores = null;
        int[] prompt = [.. "sixteen letters, and 9 more".Select(letter => (int)letter)];
        var sequence = new ScoreSequence(prompt[..16], [.. prompt[16..], 'x']);
        EngineHarness? harness = null;
        var options = new FakeDriverOptions
        {
            BatchSize = 16,
            OnDecode = _ =>
            {
                scores ??= harness!.Engine.ScoreAsync(new ScoreRequest { Sequences = [sequence] });
                return null;
            },
        };
        await using var owned = harness = new EngineHarness(options);

        var answer = await harness.Generate(Greedy(prompt, 3));
        var scored = await scores!;

        Assert.Equal(Alone(prompt, 3, options), answer.Select(t => t.Token));
        await using var alone = new EngineHarness();
        Assert.Equal((await alone.Engine.ScoreAsync(new ScoreRequest { Sequences = [sequence] })).LogProbabilities[0], scored.LogProbabilities[0]);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Statistics_are_kept_by_agent()
    {
        await using var harness = new EngineHarness();
        await harness.Generate(Greedy(Text("Hello"), 3) with { Origin = new ModelRequest { Agent = "ann" } });
        await harness.Generate(Greedy(Text("Hello you"), 3) with { Origin = new ModelRequest { Agent = "bob" } });
        await harness.Engine.AuditAsync();
        var agents = harness.Engine.GetStatistics().Agents;
        Assert.Equal(Text("Hello").Length, agents["ann"].ComputedTokens);
        Assert.True(agents["bob"].ReusedTokens > 0);
    }
}
