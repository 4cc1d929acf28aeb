using FsCheck.Xunit;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Sampling;

namespace Orchestrator.Inference.Tests.Scheduling;

public class TokenSamplerTests
{
    private const int Vocabulary = 1000;

    [Property(MaxTest = 100, Replay = "9,11")]
    public void The_tokens_drawn_are_those_that_sorting_would_keep(int seed)
    {
        var random = new Random(seed);
        var logits = Logits(random);
        var options = new SamplingOptions
        {
            Temperature = 0.3f + (random.NextSingle() * 2),
            TopK = random.Next(2) == 0 ? 0 : random.Next(1, 50),
            TopP = random.Next(2) == 0 ? 1f : 0.2f + (random.NextSingle() * 0.79f),
            MinP = random.Next(2) == 0 ? 0 : random.NextSingle() * 0.2f,
        };
        var kept = Sorted(logits, options);
        var sampler = new TokenSampler(Vocabulary);
        var drawn = new HashSet<int>();
        for (var i = 0; i < 300; i++)
        {
            drawn.Add(sampler.Sample(logits, options with { Seed = (ulong)seed }, [], null, i).Token);
        }

        Assert.Subset(kept, drawn);
        if (kept.Count <= 3)
        {
            Assert.NotEmpty(drawn);
        }
    }

    [Property(MaxTest = 60, Replay = "9,11")]
    public void What_a_mask_forbids_is_as_if_it_were_impossible(int seed)
    {
        // From masks of a few tokens to those of nearly all, which are applied in another way.
        var random = new Random(seed);
        var logits = Logits(random);
        var share = random.NextDouble();
        var mask = new uint[(Vocabulary + 31) / 32];
        var without = logits.ToArray();
        for (var token = 0; token < Vocabulary; token++)
        {
            if (random.NextDouble() < share || token == 7)
            {
                mask[token >> 5] |= 1u << (token & 31);
            }
            else
            {
                without[token] = float.NegativeInfinity;
            }
        }

        var options = new SamplingOptions
        {
            Temperature = random.Next(3),
            TopK = random.Next(2) * random.Next(1, 2 * Vocabulary),
            TopP = random.Next(2) == 0 ? 1f : 0.9f,
            MinP = random.Next(2) * 0.01f,
            FrequencyPenalty = random.Next(2) * 0.5f,
        };
        var counts = new Dictionary<int, int> { [7] = 2, [8] = 1 };
        var normaliser = (float)Math.Log(logits.Sum(l => Math.Exp(l)));
        var sampler = new TokenSampler(Vocabulary);
        for (var i = 0; i < 50; i++)
        {
            var drawn = sampler.Sample(logits, options with { Seed = (ulong)seed }, mask, counts, i);
            Assert.Equal(sampler.Sample(without, options with { Seed = (ulong)seed }, [], counts, i).Token, drawn.Token);
            Assert.NotEqual(0u, mask[drawn.Token >> 5] & (1u << (drawn.Token & 31)));
            Assert.Equal(logits[drawn.Token] - normaliser, drawn.LogProbability, 1e-4f);
        }
    }

    [Fact]
    public void Draws_follow_the_distribution()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f), float.NegativeInfinity];
        var sampler = new TokenSampler(4);
        var counts = new int[4];
        const int Draws = 20_000;
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Sample(logits, new SamplingOptions { Temperature = 1, Seed = 5 }, [], null, i).Token]++;
        }

        Assert.Equal(0, counts[3]);
        Assert.Equal(0.5, counts[0] / (double)Draws, 0.02);
        Assert.Equal(0.3, counts[1] / (double)Draws, 0.02);
    }

    [Fact]
    public void Greedy_takes_the_lowest_of_equals_and_heeds_the_mask()
    {
        var sampler = new TokenSampler(70);
        var logits = new float[70];
        logits[10] = logits[40] = logits[66] = 3;
        var greedy = new SamplingOptions { Temperature = 0, TopLogProbabilities = 3 };

        var first = sampler.Sample(logits, greedy, [], null, 0);
        Assert.Equal(10, first.Token);
        Assert.Equal([10, 40, 66], first.Alternatives!.Select(a => a.Token));
        Assert.Equal(3 - Math.Log((3 * Math.Exp(3)) + 67), first.LogProbability, 1e-4);
        Assert.Equal(40, sampler.Sample(logits, greedy, [0, ~0u, ~0u], null, 0).Token);
        Assert.Equal(2, sampler.Sample(logits, greedy, [4, 0, 0], null, 0).Token);
        Assert.Throws<InferenceException>(() => sampler.Sample(logits, greedy, [0, 0, 0], null, 0));
    }

    [Fact]
    public void Penalties_turn_away_from_what_was_said()
    {
        var sampler = new TokenSampler(4);
        float[] logits = [2, 1.5f, 0, 0];
        var options = new SamplingOptions { Temperature = 0, FrequencyPenalty = 0.4f, PresencePenalty = 0.2f };
        Assert.Equal(0, sampler.Sample(logits, options, [], new Dictionary<int, int>(), 0).Token);
        var after = sampler.Sample(logits, options, [], new Dictionary<int, int> { [0] = 1 }, 1);
        Assert.Equal(1, after.Token);
        Assert.Equal(1.5 - Math.Log(Math.Exp(2) + Math.Exp(1.5) + 2), after.LogProbability, 1e-4);
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_an_error()
    {
        var sampler = new TokenSampler(40);
        var logits = new float[40];
        logits[33] = float.NaN;
        Assert.Throws<InferenceException>(() => sampler.Sample(logits, new SamplingOptions(), [], null, 0));
    }

    private static HashSet<int> Sorted(float[] logits, SamplingOptions o)
    {
        var max = logits.Max();
        var order = logits.Select((l, i) => (Weight: MathF.Exp((l - max) * (1f / o.Temperature)), Token: i))
            .OrderByDescending(p => p.Weight).ThenBy(p => p.Token).ToList();
        if (o.TopK > 0)
        {
            order = [.. order.Take(o.TopK)];
        }

        if (o.TopP < 1)
        {
            // One more than needed is tolerated, since sums in another order round otherwise.
            var wanted = o.TopP * order.Sum(p => (double)p.Weight);
            var mass = 0.0;
            order = [.. order.TakeWhile(p =>
            {
                var keep = mass < wanted * (1 + 1e-6);
                mass += p.Weight;
                return keep;
            })];
        }

        return [.. order.Where(p => p.Weight >= o.MinP * 0.99999f).Select(p => p.Token)];
    }

    private static float[] Logits(Random random) =>
        [.. Enumerable.Range(0, Vocabulary).Select(_ => (random.NextSingle() * 10) + (random.Next(20) == 0 ? 5 : 0))];
}
