using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

public class InferenceEngineTests
{
    private static readonly string Preamble = string.Concat(Enumerable.Range(0, 40).Select(i => $"Line {i} of the task. "));

    [Fact]
    public async Task An_answer_is_that_of_a_bare_loop()
    {
        await using var harness = new EngineHarness();
        var prompt = Text("What is the cause?");

        var answer = await harness.Generate(Greedy(prompt, 20));

        Assert.Equal(Alone(prompt, 20), answer.Select(t => t.Token));
        Assert.All(answer, t => Assert.True(t.LogProbability is < 0 and > -20));
        Assert.All(answer.SkipLast(1), t => Assert.Null(t.Stop));
        Assert.NotNull(answer[^1].Stop);
        Assert.Equal(prompt.Length, answer[^1].Cost!.ComputedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Agents_that_answer_at_once_share_the_transcript()
    {
        await using var harness = new EngineHarness();
        var prompts = Enumerable.Range(0, 8).Select(i => Text($"{Preamble}You are {i}.")).ToArray();
        var shared = Text(Preamble).Length;

        var answers = await Task.WhenAll(prompts.Select(p => harness.Generate(Greedy(p, 12))));

        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(Alone(prompts[i], 12), answers[i].Select(t => t.Token));
        }

        var computed = answers.Sum(a => a[^1].Cost!.ComputedTokens);
        Assert.InRange(computed, shared, shared + (8 * (prompts[0].Length - shared)));
        await harness.AssertClean();
    }

    [Fact]
    public async Task An_answer_is_found_in_the_cache_by_the_next_prompt()
    {
        await using var harness = new EngineHarness(new FakeDriverOptions { EndLogit = -10 });
        var prompt = Text(Preamble);
        var first = await harness.Generate(Greedy(prompt, 16));
        int[] next = [.. prompt, .. first.Select(t => t.Token), .. Text("And then?")];

        var second = await harness.Generate(Greedy(next, 5));

        var cost = second[^1].Cost!;
        Assert.Equal(prompt.Length + 15, cost.ReusedTokens);
        Assert.Equal(next.Length - cost.ReusedTokens, cost.ComputedTokens);
        Assert.Equal(Alone(next, 5, new FakeDriverOptions { EndLogit = -10 }), second.Select(t => t.Token));
        await harness.AssertClean();
    }

    [Fact]
    public async Task The_same_prompt_again_computes_nothing()
    {
        await using var harness = new EngineHarness();
        var prompt = Text(Preamble);
        var first = await harness.Generate(Greedy(prompt, 8));

        var second = await harness.Generate(Greedy(prompt, 8));

        Assert.Equal(0, second[^1].Cost!.ComputedTokens);
        Assert.Equal(first.Select(t => (t.Token, t.LogProbability)), second.Select(t => (t.Token, t.LogProbability)));
        await harness.AssertClean();
    }

    [Fact]
    public async Task Without_kept_logits_only_the_last_token_is_computed_again()
    {
        await using var harness = new EngineHarness(options: new InferenceEngineOptions { LogitsCacheBytes = 0 });
        var prompt = Text(Preamble);
        await harness.Generate(Greedy(prompt, 8));

        var second = await harness.Generate(Greedy(prompt, 8));

        Assert.Equal(1, second[^1].Cost!.ComputedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_full_cache_evicts_and_preempts_without_changing_answers()
    {
        var options = new FakeDriverOptions { ContextSize = 128, TrainedContext = 128, BatchSize = 16, MaxSequences = 6, EndLogit = -10 };
        await using var harness = new EngineHarness(options);
        var prompts = Enumerable.Range(0, 12).Select(i => Text($"{i}: {Preamble}")[..(20 + (i * 3))]).ToArray();

        var answers = await Task.WhenAll(prompts.Select(p => harness.Generate(Greedy(p, 40))));

        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(Alone(prompts[i], 40, options), answers[i].Select(t => t.Token));
        }

        Assert.True(harness.Engine.GetStatistics().EvictedTokens > 0);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Scores_are_exact_and_share_their_prefixes()
    {
        await using var harness = new EngineHarness();
        var prefix = Text(Preamble);
        string[] options = ["analyst", "analysis", "another", "planner", "analyst"];
        var request = new ScoreRequest { Sequences = [.. options.Select(o => new ScoreSequence(prefix, Text(o)))] };

        var result = await harness.Engine.ScoreAsync(request);

        for (var i = 0; i < options.Length; i++)
        {
            AssertClose(ScoreAlone(prefix, Text(options[i])), result.LogProbabilities[i]);
        }

        Assert.Equal(result.LogProbabilities[0], result.LogProbabilities[4]);
        var trie = new HashSet<string>(request.Sequences.SelectMany(s =>
            Enumerable.Range(1, s.Continuation.Count - 1).Select(n => string.Join(',', s.Continuation.Take(n)))));
        Assert.Equal(prefix.Length + trie.Count, result.ComputedTokens);

        // Once more: the prefix and its logits are there, and what is left makes one batch, each token once.
        var decodes = harness.Driver.Decodes;
        var again = await harness.Engine.ScoreAsync(request);
        Assert.Equal(trie.Count, again.ComputedTokens);
        Assert.Equal(decodes + 1, harness.Driver.Decodes);
        Assert.Equal(result.LogProbabilities[3], again.LogProbabilities[3]);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Adapters_are_kept_apart_and_take_turns()
    {
        await using var harness = new EngineHarness(new FakeDriverOptions { EndLogit = -10 }, new InferenceEngineOptions { AdapterTurn = 2 });
        AdapterUse[][] sets = [[], [new("a")], [new("a", 0.5f)], [new("a"), new("b")], [new("b"), new("a")]];
        var prompt = Text("Hello there.");

        var answers = await Task.WhenAll(sets.Select(s => harness.Generate(Greedy(prompt, 10, s))));

        for (var i = 0; i < sets.Length; i++)
        {
            Assert.Equal(Alone(prompt, 10, new FakeDriverOptions { EndLogit = -10 }, sets[i]), answers[i].Select(t => t.Token));
        }

        Assert.Equal(sets.Length, answers.Select(a => string.Join(',', a.Select(t => t.Token))).Distinct().Count());
        await harness.AssertClean();
    }

    [Fact]
    public async Task An_unknown_adapter_fails_its_request_only()
    {
        await using var harness = new EngineHarness();
        var good = harness.Generate(Greedy(Text("one"), 10));
        var bad = await Assert.ThrowsAsync<InferenceException>(() => harness.Generate(Greedy(Text("two"), 10, new AdapterUse("unknown"))));
        Assert.Equal(InferenceError.Adapter, bad.Error);
        Assert.NotEmpty(await good);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_prompt_that_does_not_fit_is_refused_before_work()
    {
        await using var harness = new EngineHarness(new FakeDriverOptions { ContextSize = 32 });
        var error = await Assert.ThrowsAsync<InferenceException>(() => harness.Generate(Greedy(new int[32], 1)));
        Assert.Equal(InferenceError.ContextOverflow, error.Error);
        Assert.Contains("32", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, harness.Driver.Decodes);
    }

    [Fact]
    public async Task A_failing_driver_reaches_every_request_and_the_next_ones_work()
    {
        var fail = true;
        await using var harness = new EngineHarness(new FakeDriverOptions
        {
            OnDecode = _ => Volatile.Read(ref fail) ? throw new InvalidOperationException("broken") : null,
        });
        var requests = Enumerable.Range(0, 3).Select(i => harness.Generate(Greedy(Text($"Prompt {i}"), 4))).ToArray();
        foreach (var request in requests)
        {
            var error = await Assert.ThrowsAsync<InferenceException>(() => request);
            Assert.Equal(InferenceError.DriverFailed, error.Error);
        }

        Volatile.Write(ref fail, false);
        Assert.Equal(Alone(Text("Prompt 0"), 4), (await harness.Generate(Greedy(Text("Prompt 0"), 4))).Select(t => t.Token));
        await harness.AssertClean();
    }

    [Fact]
    public async Task Cancelling_stops_a_decode_that_nobody_wants_and_frees_its_cells()
    {
        FakeDriver? driver = null;
        using var entered = new ManualResetEventSlim();
        await using var harness = new EngineHarness(new FakeDriverOptions
        {
            OnDecode = batch =>
            {
                if (batch.Count < 10)
                {
                    return null;
                }

                entered.Set();
                return Volatile.Read(ref driver)!.AbortRequested.WaitOne(TimeSpan.FromSeconds(30)) ? DecodeStatus.Aborted : null;
            },
        });
        Volatile.Write(ref driver, harness.Driver);
        using var cancel = new CancellationTokenSource();
        var request = harness.Generate(Greedy(Text(Preamble), 10), cancel.Token);
        entered.Wait();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.Equal(Alone(Text("a"), 3), (await harness.Generate(Greedy(Text("a"), 3))).Select(t => t.Token));
        await harness.AssertClean();
    }

    [Fact]
    public async Task One_request_too_many_is_refused()
    {
        using var go = new ManualResetEventSlim();
        await using var harness = new EngineHarness(
            new FakeDriverOptions
            {
                OnDecode = _ =>
                {
                    go.Wait();
                    return null;
                },
            },
            new InferenceEngineOptions { MaxRequests = 2 });
        var first = harness.Generate(Greedy(Text("one"), 2));
        var second = harness.Generate(Greedy(Text("two"), 2));

        var error = await Assert.ThrowsAsync<InferenceException>(() => harness.Generate(Greedy(Text("three"), 2)));

        Assert.Equal(InferenceError.QueueFull, error.Error);
        go.Set();
        await Task.WhenAll(first, second);
        Assert.NotEmpty(await harness.Generate(Greedy(Text("three"), 2)));
    }

    [Fact]
    public async Task Embeddings_are_normalised_and_keep_no_cells()
    {
        await using var harness = new EngineHarness(new FakeDriverOptions { Embeddings = true });
        var vectors = await harness.Engine.EmbedAsync([Text("one"), Text("two"), Text("one")]);
        Assert.Equal(vectors[0], vectors[2]);
        Assert.NotEqual(vectors[0], vectors[1]);
        Assert.Equal(1.0, vectors[0].Sum(v => (double)v * v), 5);
        await harness.AssertClean();
    }

    private static List<float> ScoreAlone(int[] prefix, int[] continuation)
    {
        using var driver = new FakeDriver(new FakeDriverOptions { BatchSize = 4096 });
        var batch = new DecodeBatch();
        int[] all = [.. prefix, .. continuation];
        for (var i = 0; i < all.Length; i++)
        {
            batch.Add(all[i], i, i >= prefix.Length - 1, 0);
        }

        driver.Decode(batch);
        return [.. continuation.Select((t, i) =>
        {
            var logits = driver.GetLogits(prefix.Length - 1 + i).ToArray();
            return (float)(logits[t] - Math.Log(logits.Sum(l => Math.Exp(l))));
        })];
    }

    private static void AssertClose(List<float> expected, float[] actual)
    {
        Assert.Equal(expected.Count, actual.Length);
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-4);
        }
    }
}
