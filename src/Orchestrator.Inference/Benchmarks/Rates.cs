using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>How fast prompts are read and answers written, by the engine and by a bare loop over the C API.</summary>
internal static class Rates
{
    private const int PromptLength = 16;

    /// <summary>Prompts of random ordinary tokens for answers at a time.</summary>
    public static int[][] Prompts(int count, int vocabulary, int seed, int length = PromptLength)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(vocabulary / 4, vocabulary / 2)).ToArray())];
    }

    /// <summary>Cells for answers at a time.</summary>
    public static int Cells(int answers, int tokens) => answers * (PromptLength + tokens + 16);

    /// <summary>Prompt tokens a second, from the request to the first token of the answer.</summary>
    public static async Task<double> PrefillAsync(InferenceEngine engine, int[] prompt, CancellationToken cancellationToken = default)
    {
        await engine.ClearCacheAsync(cancellationToken).ConfigureAwait(false);
        var first = TimeSpan.Zero;
        await foreach (var token in engine.GenerateAsync(Greedy(prompt, 1), cancellationToken).ConfigureAwait(false))
        {
            first = token.Cost?.FirstToken ?? first;
        }

        return prompt.Length / first.TotalSeconds;
    }

    /// <summary>Prompt tokens a second of a bare loop.</summary>
    public static double Prefill(RawContext context, int[] prompt, TimeProvider time)
    {
        context.Cut(0, 0);
        var start = time.GetTimestamp();
        _ = context.Best(context.Prefill(prompt, 0, 0));
        var rate = prompt.Length / time.GetElapsedTime(start).TotalSeconds;
        context.Cut(0, 0);
        return rate;
    }

    /// <summary>Tokens a second after the first tokens of all answers, by the engine's clock: who reads them may be late.</summary>
    public static async Task<double> DecodeAsync(InferenceEngine engine, int[][] prompts, int tokens, CancellationToken cancellationToken = default)
    {
        await engine.ClearCacheAsync(cancellationToken).ConfigureAwait(false);
        var costs = new GenerationCost[prompts.Length];
        await Task.WhenAll(prompts.Select(async (prompt, i) =>
        {
            await foreach (var token in engine.GenerateAsync(Greedy(prompt, tokens), cancellationToken).ConfigureAwait(false))
            {
                costs[i] = token.Cost ?? costs[i];
            }
        })).ConfigureAwait(false);
        var writing = costs.Max(cost => cost.Duration) - costs.Max(cost => cost.FirstToken);
        return prompts.Length * (tokens - 1) / writing.TotalSeconds;
    }

    /// <summary>Tokens a second of a bare loop.</summary>
    public static double Decode(RawContext context, int[][] prompts, int tokens, TimeProvider time)
    {
        var next = new int[prompts.Length];
        var indexes = new int[prompts.Length];
        for (var i = 0; i < prompts.Length; i++)
        {
            context.Cut(i, 0);
            for (var position = 0; position < prompts[i].Length; position++)
            {
                indexes[i] = context.Add(prompts[i][position], position, i, position == prompts[i].Length - 1);
            }
        }

        Step();
        var start = time.GetTimestamp();
        for (var token = 0; token < tokens - 1; token++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                indexes[i] = context.Add(next[i], prompts[i].Length + token, i, output: true);
            }

            Step();
        }

        var rate = prompts.Length * (tokens - 1) / time.GetElapsedTime(start).TotalSeconds;
        for (var i = 0; i < prompts.Length; i++)
        {
            context.Cut(i, 0);
        }

        return rate;

        void Step()
        {
            context.Decode();
            for (var i = 0; i < prompts.Length; i++)
            {
                next[i] = context.Best(indexes[i]);
            }
        }
    }

    private static GenerationRequest Greedy(int[] prompt, int tokens) => new()
    {
        Prompt = prompt,
        MaxTokens = tokens,
        Sampling = new SamplingOptions { Temperature = 0 },
    };
}
