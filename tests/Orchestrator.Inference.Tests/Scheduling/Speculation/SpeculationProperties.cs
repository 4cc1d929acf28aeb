using System.Text;
using FsCheck.Xunit;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling.Speculation;

/// <summary>Guessing ahead changes nothing but the number of steps.</summary>
public class SpeculationProperties
{
    [Property(MaxTest = 60, Replay = "4711,8151")]
    public void Outputs_equal_those_without_speculation(int seed) => CompareAsync(seed, drafts: false).GetAwaiter().GetResult();

    [Property(MaxTest = 60, Replay = "4711,8151")]
    public void Also_with_a_draft_model(int seed) => CompareAsync(seed, drafts: true).GetAwaiter().GetResult();

    /// <summary>
    /// A model that mostly repeats itself: a small alphabet with fixed successors, and now and then a free choice.
    /// </summary>
    internal static Func<IReadOnlyList<int>, int?> Repetitive(int seed, int oneFreeIn)
    {
        var random = new Random(seed);
        var successors = Enumerable.Range(0, 16).Select(_ => random.Next('a', 'q')).ToArray();
        return tokens =>
        {
            var hash = tokens.Aggregate(seed, (h, t) => unchecked((h * 31) + t + 1));
            return (uint)hash % (uint)oneFreeIn == 0 ? null : successors[tokens[^1] % 16];
        };
    }

    private static async Task CompareAsync(int seed, bool drafts)
    {
        var random = new Random(seed);
        var options = new FakeDriverOptions
        {
            ContextSize = random.Next(160, 500),
            TrainedContext = 160,
            MaxSequences = random.Next(2, 10),
            BatchSize = random.Next(4, 48),
            EndLogit = random.Next(2) == 0 ? -10 : 7.5f,
            Script = Repetitive(random.Next(), random.Next(2, 12)),
        };
        var scheduling = new InferenceEngineOptions
        {
            MaxActive = random.Next(1, 10),
            PrefillChunk = random.Next(1, 32),
            AdapterTurn = random.Next(1, 6),
            LogitsCacheBytes = random.Next(2) * 10_000,
            Speculation = Eager(random),
        };
        await using var harness = new EngineHarness(options, scheduling, draft: drafts ? DraftOf(options, random) : null);
        await using var plain = new EngineHarness(
            options with { ContextSize = 4096, BatchSize = 512 }, new InferenceEngineOptions { Speculation = SpeculationOptions.Off });
        for (var round = 0; round < 2; round++)
        {
            var requests = Enumerable.Range(0, 8).Select(_ => Request(random, harness)).ToArray();
            await Task.WhenAll(requests.Select(async (r, i) =>
            {
                var cancelAfter = i % 4 == 3 ? i : int.MaxValue;
                var actual = await Take(harness, r, cancelAfter);
                var expected = await Take(plain, r, cancelAfter);
                Assert.Equal(expected.Select(Comparable), actual.Select(Comparable));
            }));
            Assert.Empty(await harness.Engine.AuditAsync());
        }

        Assert.Equal(0, plain.Engine.GetStatistics().DraftedTokens);
        await harness.AssertClean();
    }

    /// <summary>A model that says what the other says, but for now and then.</summary>
    private static FakeDriverOptions DraftOf(FakeDriverOptions model, Random random)
    {
        var oneWrongIn = random.Next(2, 20);
        return model with
        {
            ContextSize = random.Next(40, 500),
            TrainedContext = random.Next(40, 200),
            BatchSize = random.Next(4, 48),
            Script = tokens => tokens.Aggregate(7, (h, t) => unchecked((h * 17) + t)) % oneWrongIn == 0 ? 'q' : model.Script!(tokens),
        };
    }

    internal static SpeculationOptions Eager(Random random) => new()
    {
        PromptLookup = random.Next(3) > 0,
        MaxDraftTokens = random.Next(1, 20),
        StepTime = random.Next(3) == 0 ? n => 1 + (0.1 * n) : _ => 1,
    };

    internal static object Comparable(GeneratedToken token) => (token.Token, token.LogProbability, token.Forced, token.Stop);

    private static GenerationRequest Request(Random random, EngineHarness harness)
    {
        var prompt = Enumerable.Range(0, random.Next(1, 50)).Select(_ => random.Next('a', 'q')).ToArray();
        var sampling = new SamplingOptions
        {
            Temperature = random.Next(3) == 0 ? 0 : random.Next(1, 5),
            TopK = random.Next(3) == 0 ? random.Next(1, 10) : 0,
            TopP = random.Next(3) == 0 ? 0.8f : 1,
            MinP = random.Next(3) == 0 ? 0.05f : 0,
            FrequencyPenalty = random.Next(3) == 0 ? 0.3f : 0,
            PresencePenalty = random.Next(3) == 0 ? 1.5f : 0,
            Seed = (ulong)random.Next(),
        };
        var request = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = random.Next(1, 100),
            Sampling = sampling,
            Origin = new ModelRequest { Adapters = random.Next(3) == 0 ? [new AdapterUse("a")] : [], Priority = random.Next(-1, 2) },
        };
        return random.Next(3) > 0
            ? request
            : request with { MaxTokens = 100, Constraint = new TextsConstraint(harness.Engine.Tokenizer, [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Text(random))]) };
    }

    /// <summary>Texts that repeat themselves, with forks and tokens of several bytes.</summary>
    private static string Text(Random random)
    {
        string[] pieces = ["the answer ", "é世", "abcabc", "{\"name\":\"", "the "];
        var text = new StringBuilder();
        while (text.Length < 50)
        {
            text.Append(pieces[random.Next(pieces.Length)]);
        }

        return text.ToString();
    }

    private static async Task<List<GeneratedToken>> Take(EngineHarness harness, GenerationRequest request, int most)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in harness.Engine.GenerateAsync(request))
        {
            tokens.Add(token);
            if (tokens.Count == most)
            {
                // The reader leaves, as it does at a stop sequence.
                break;
            }
        }

        return tokens;
    }
}
