using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>Whatever else goes on, each output is what it would be alone, and no cell is lost.</summary>
public class ScheduleProperties
{
    [Property(MaxTest = 60, Replay = "1234,5671")]
    public void Outputs_under_load_equal_outputs_alone(int seed) => RunAsync(seed, canCut: true).GetAwaiter().GetResult();

    [Property(MaxTest = 20, Replay = "1234,5671")]
    public void Also_where_the_cache_cannot_be_cut(int seed) => RunAsync(seed, canCut: false).GetAwaiter().GetResult();

    [Property(MaxTest = 40, Replay = "1234,5671")]
    public void Prompt_tokens_computed_are_the_new_ones(int seed) => ComputedAsync(seed).GetAwaiter().GetResult();

    private static async Task ComputedAsync(int seed)
    {
        var random = new Random(seed);
        var options = new FakeDriverOptions { ContextSize = 1 << 16, MaxSequences = 256, BatchSize = random.Next(8, 64) };
        await using var harness = new EngineHarness(options);
        var nodes = new HashSet<string>(StringComparer.Ordinal);
        var computed = 0;
        for (var round = 0; round < 3; round++)
        {
            var prompts = Prompts(random, 12);
            var answers = await Task.WhenAll(prompts.Select(p => harness.Generate(Greedy(p, 4))));
            for (var i = 0; i < prompts.Length; i++)
            {
                computed += answers[i][^1].Cost!.ComputedTokens;
                for (var n = 1; n <= prompts[i].Length; n++)
                {
                    nodes.Add(Key(prompts[i].Take(n)));
                }
            }
        }

        // A prompt that ends within one computed before has its last token computed once more.
        Assert.InRange(computed, 0, (nodes.Count * 1.05) + 12);
        await harness.AssertClean();
    }

    private static async Task RunAsync(int seed, bool canCut)
    {
        var random = new Random(seed);
        var options = new FakeDriverOptions
        {
            ContextSize = random.Next(96, 400),
            TrainedContext = 96,
            MaxSequences = random.Next(2, 12),
            BatchSize = random.Next(4, 48),
            CanCut = canCut,
            EndLogit = random.Next(2) == 0 ? -10 : 7.5f,
            Invocation = path => canCut && path.EndsWith("alora", StringComparison.Ordinal) ? ['b', 'a'] : [],
        };
        var scheduling = new InferenceEngineOptions
        {
            MaxActive = random.Next(1, 12),
            PrefillChunk = random.Next(1, 32),
            AdapterTurn = random.Next(1, 6),
            LogitsCacheBytes = random.Next(2) * 10_000,
            StateCacheBytes = random.Next(2) * 100_000,
        };
        await using var harness = new EngineHarness(options, scheduling);
        AdapterUse[][] adapters = [[], [new("a")], [new("a", 0.5f), new("b")], [new("alora")], [new("a"), new("alora", 2)]];
        for (var round = 0; round < 3; round++)
        {
            var works = Prompts(random, 10).Select(p => One(p, random.Next(), harness, options, adapters)).ToArray();
            if (random.Next(2) == 0)
            {
                // While they are at work.
                await harness.Engine.RemoveAdapterAsync(random.Next(2) == 0 ? "a" : "alora");
            }

            await Task.WhenAll(works);
            Assert.Empty(await harness.Engine.AuditAsync());
        }

        await harness.AssertClean();
    }

    private static async Task One(int[] prompt, int seed, EngineHarness harness, FakeDriverOptions options, AdapterUse[][] adapters)
    {
        await Task.Yield();
        var random = new Random(seed);
        var set = adapters[random.Next(adapters.Length)];
        switch (random.Next(4))
        {
            case 0:
                using (var cancel = new CancellationTokenSource())
                {
                    var count = 0;
                    var after = random.Next(4);
                    try
                    {
                        await foreach (var token in harness.Engine.GenerateAsync(Greedy(prompt, 20, set), cancel.Token))
                        {
                            if (count++ == after)
                            {
                                await cancel.CancelAsync();
                            }
                        }
                    }
                    catch (OperationCanceledException)
                    {
                    }
                }

                break;
            case 1:
                var sequences = Prompts(random, 4).Select(c => new ScoreSequence(prompt, [.. c.Take(12)])).ToArray();
                var scores = await harness.Engine.ScoreAsync(new ScoreRequest { Sequences = sequences, Origin = new ModelRequest { Adapters = set } });
                await using (var alone = new EngineHarness(options with { ContextSize = 4096, MaxSequences = 64, BatchSize = 4096 }))
                {
                    foreach (var (sequence, actual) in sequences.Zip(scores.LogProbabilities))
                    {
                        var expected = await alone.Engine.ScoreAsync(new ScoreRequest { Sequences = [sequence], Origin = new ModelRequest { Adapters = set } });
                        Assert.Equal(expected.LogProbabilities[0], actual);
                    }
                }

                break;
            default:
                var length = random.Next(1, 30);
                var expectedTokens = Alone(prompt, length, options, set);
                var answer = await harness.Generate(Greedy(prompt, length, set) with
                {
                    Checkpoints = [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(1, prompt.Length + 1))],
                    Origin = new ModelRequest { Adapters = set, Priority = random.Next(-2, 3) },
                });
                Assert.Equal(expectedTokens, answer.Select(t => t.Token));
                break;
        }
    }

    /// <summary>Prompts that share beginnings, some of them equal.</summary>
    private static int[][] Prompts(Random random, int count)
    {
        var prompts = new List<int[]>();
        for (var i = 0; i < count; i++)
        {
            var start = prompts.Count > 0 && random.Next(4) > 0 ? prompts[random.Next(prompts.Count)] : [];
            start = [.. start.Take(random.Next(start.Length + 1))];
            prompts.Add([.. start, .. Enumerable.Range(0, random.Next(start.Length == 0 ? 1 : 0, 20)).Select(_ => random.Next('a', 'd'))]);
            prompts[^1] = [.. prompts[^1].Take(60)];
        }

        return [.. prompts.Where(p => p.Length > 0)];
    }

    private static string Key(IEnumerable<int> tokens) => string.Join(',', tokens.Select(t => t.ToString(CultureInfo.InvariantCulture)));
}
