using Microsoft.Extensions.Time.Testing;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling.Speculation;

public class SpeculationTests
{
    private static readonly SpeculationOptions Free = new() { StepTime = _ => 1 };

    [Fact]
    public async Task A_copy_takes_a_fraction_of_the_steps()
    {
        await using var harness = Copying(Free);
        var answer = await harness.Generate(Greedy(Bytes("Copy: one two three four five six seven eight nine ten.|one two"), 60));

        var cost = answer[^1].Cost!;
        Assert.Equal(" three four five six seven eight nine ten.", Written(harness, answer));
        Assert.InRange(harness.Driver.Decodes, 1, 12);
        Assert.InRange(cost.DraftTokens, 25, cost.DraftedTokens);
        Assert.Equal(cost.PromptTokens, cost.ComputedTokens);
        await harness.AssertClean();
        var statistics = harness.Engine.GetStatistics();
        Assert.Equal(cost.DraftedTokens, statistics.DraftedTokens);
        Assert.Equal(cost.DraftTokens, statistics.DraftTokens);
        Assert.Equal(cost.ComputedTokens, statistics.ComputedTokens);
    }

    [Fact]
    public async Task Nothing_is_guessed_where_batches_cost_what_their_tokens_do()
    {
        await using var harness = Copying(Free with { StepTime = n => n });
        var answer = await harness.Generate(Greedy(Bytes("Copy: one two three four five six.|one two"), 60));
        Assert.Equal(0, answer[^1].Cost!.DraftedTokens);
        Assert.Equal(answer.Count, harness.Driver.Decodes);
    }

    [Fact]
    public async Task Guessing_ends_soon_where_guesses_are_wrong()
    {
        // What follows a pair is always another token, so every guess fails.
        var options = new FakeDriverOptions
        {
            EndLogit = -10,
            Script = tokens => tokens.Count % 3 == 2 ? 'a' + (tokens.Count / 3 % 26) : tokens.Count % 3 == 0 ? 'x' : 'y',
        };
        await using var harness = new EngineHarness(options, new InferenceEngineOptions { Speculation = new SpeculationOptions { StepTime = n => 1 + (0.25 * n) } });
        var answer = await harness.Generate(Greedy(Text("xy"), 600));
        Assert.Equal(600, answer.Count);
        Assert.InRange(answer[^1].Cost!.DraftedTokens - answer[^1].Cost!.DraftTokens, 0, 60);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_cache_that_cannot_be_cut_is_not_speculated_on()
    {
        await using var harness = Copying(Free, canCut: false);
        var answer = await harness.Generate(Greedy(Bytes("Copy: one two three four five six.|one two"), 60));
        Assert.Equal(" three four five six.", Written(harness, answer));
        Assert.Equal(0, answer[^1].Cost!.DraftedTokens);
        Assert.Contains("cannot be cut", harness.Engine.NoSpeculation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejected_cells_are_free_at_once()
    {
        // Room for the text and little more: a cell that stayed would end it early.
        var prompt = Text("abab");
        var options = new FakeDriverOptions
        {
            ContextSize = 40,
            TrainedContext = 40,
            EndLogit = -10,
            Script = SpeculationProperties.Repetitive(5, 2),
        };
        await using var harness = new EngineHarness(options, new InferenceEngineOptions { Speculation = Free });
        var answer = await harness.Generate(Greedy(prompt, 36));
        Assert.Equal(Alone(prompt, 36, options), answer.Select(t => t.Token));
        Assert.True(answer[^1].Cost!.DraftedTokens > answer[^1].Cost!.DraftTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Drawn_tokens_keep_their_distribution()
    {
        // Four tokens of known probabilities after "ab", and every draw is guessed: the lookup says what came last time.
        double[] expected = [0.1, 0.2, 0.3, 0.4];
        var logits = expected.Select(p => (float)Math.Log(p)).ToArray();
        var counts = new int[4];
        var (drafted, accepted) = (0, 0);
        await using var harness = new EngineHarness(
            new FakeDriverOptions
            {
                EndLogit = -100,
                TrainedContext = 4096,
                Logits = tokens => tokens.Count % 3 == 2
                    ? [.. logits.Select((l, i) => ('w' + i, l))]
                    : [(tokens.Count % 3 == 0 ? 'a' : 'b', 0f)],
            },
            new InferenceEngineOptions { Speculation = Free });
        for (var seed = 0; seed < 20; seed++)
        {
            var answer = await harness.Generate(Greedy(Text("ab"), 600) with { Sampling = new SamplingOptions { Temperature = 1, Seed = (ulong)seed } });
            foreach (var token in answer.Where(t => t.Token >= 'w'))
            {
                counts[token.Token - 'w']++;
            }

            drafted += answer[^1].Cost!.DraftedTokens;
            accepted += answer[^1].Cost!.DraftTokens;
        }

        var total = counts.Sum();
        var chiSquare = counts.Zip(expected).Sum(c => Math.Pow(c.First - (c.Second * total), 2) / (c.Second * total));
        Assert.Equal(4000, total);
        Assert.True(drafted > 4000 && accepted > 2000, $"{accepted} of {drafted}");

        // 3 degrees of freedom: above 16.27 once in a thousand.
        Assert.InRange(chiSquare, 0, 16.27);
    }

    [Fact]
    public void Times_are_learnt_and_what_is_not_measured_follows_the_common_shape()
    {
        var time = new StepTime(null);
        Assert.Equal(2.45, time.Of(4), 3);
        for (var i = 0; i < 200; i++)
        {
            time.Record(1, 0.010);
            time.Record(16, 0.020);
        }

        Assert.Equal(0.010, time.Of(1), 3);
        Assert.Equal(0.020, time.Of(16), 3);
        Assert.InRange(time.Of(8), 0.010, 0.020);

        // One step that something else held up does not count for much.
        time.Record(1, 10);
        Assert.InRange(time.Of(1), 0.010, 0.012);
    }

    [Fact]
    public async Task A_clock_that_stands_still_does_no_harm()
    {
        await using var harness = new EngineHarness(
            new FakeDriverOptions { Script = SpeculationProperties.Repetitive(7, 50), EndLogit = -10 }, time: new FakeTimeProvider());
        var answer = await harness.Generate(Greedy(Text("ab"), 200));
        Assert.True(answer[^1].Cost!.DraftTokens > 0);
        await harness.AssertClean();
    }

    /// <summary>A model that copies the text after "Copy: " up to the full stop, going on from what stands after "|".</summary>
    private static EngineHarness Copying(SpeculationOptions speculation, bool canCut = true) => new(
        new FakeDriverOptions
        {
            CanCut = canCut,
            EndLogit = -10,
            Script = tokens =>
            {
                var text = System.Text.Encoding.Latin1.GetString([.. tokens.Where(t => t < 256).Select(t => (byte)t)]);
                var bar = text.IndexOf('|', StringComparison.Ordinal);
                var done = text.Length - bar - 1;
                var source = text[6..Math.Max(6, bar)];
                return bar < 0 ? null : done < source.Length ? source[done] : FakeTokenizer.End;
            },
            Merges = [],
        },
        new InferenceEngineOptions { Speculation = speculation });

    private static int[] Bytes(string text) => [.. text.Select(c => (int)c)];

    private static string Written(EngineHarness harness, IEnumerable<GeneratedToken> answer) =>
        System.Text.Encoding.UTF8.GetString([.. answer.SelectMany(t => harness.Engine.Tokenizer.GetBytes(t.Token).ToArray())]);
}
