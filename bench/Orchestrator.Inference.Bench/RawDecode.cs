using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Bench;

/// <summary>Answers of B agents at a time, against a bare loop over the C API with the same batch.</summary>
internal static class RawDecode
{
    private const int Prompt = 16;
    private const int Tokens = 64;

    public static async Task<int> RunAsync(BenchOptions options)
    {
        int[] sizes = [1, 8, 16];
        var cells = Cells.Round(sizes.Max() * (Prompt + Tokens + 16));
        NativeRuntime.EnsureLoaded();
        using var model = AgentSweep.LoadModel(options.Model);
        var (engine, _) = AgentSweep.Open(options, cells, 32);
        await using var owned = engine;
        using var raw = new RawContext(model, cells, 32, 512, options.Threads);
        Console.WriteLine("|  B | ours tokens/s | bare tokens/s | ours/bare, median of pairs | least | most |");
        Console.WriteLine("|---:|--------------:|--------------:|---------------------------:|------:|-----:|");
        var report = new List<object>();
        foreach (var size in sizes)
        {
            var ratios = new List<double>();
            var (best, bestRaw) = (0.0, 0.0);
            for (var repeat = 0; repeat <= options.Repeats * 3; repeat++)
            {
                // Taking turns at being first, so that a slow drift favours neither.
                var prompts = Prompts(size, engine.Tokenizer.Size, repeat);
                double ours, bare;
                if (repeat % 2 == 0)
                {
                    ours = await Ours(engine, prompts);
                    bare = Bare(raw, prompts);
                }
                else
                {
                    bare = Bare(raw, prompts);
                    ours = await Ours(engine, prompts);
                }

                if (repeat > 0)
                {
                    ratios.Add(ours / bare);
                    (best, bestRaw) = (Math.Max(best, ours), Math.Max(bestRaw, bare));
                }
            }

            ratios.Sort();
            var line = new { B = size, Ours = best, Bare = bestRaw, Ratio = ratios[ratios.Count / 2], Least = ratios[0], Most = ratios[^1] };
            report.Add(line);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {line.B,2} | {line.Ours,13:0.0} | {line.Bare,13:0.0} | {line.Ratio,26:0.000} | {line.Least,5:0.00} | {line.Most,4:0.00} |"));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { options.Model, options.Threads, Sizes = report }, JsonSerializerOptions.Web));
        return 0;
    }

    private static int[][] Prompts(int count, int vocabulary, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Prompt).Select(_ => random.Next(vocabulary / 4, vocabulary / 2)).ToArray())];
    }

    /// <summary>Tokens a second after the first tokens of all.</summary>
    private static async Task<double> Ours(InferenceEngine engine, int[][] prompts)
    {
        await engine.ClearCacheAsync();
        var firsts = new long[prompts.Length];
        var lasts = new long[prompts.Length];
        await Task.WhenAll(prompts.Select(async (prompt, i) =>
        {
            await foreach (var _ in engine.GenerateAsync(new GenerationRequest
            {
                Prompt = prompt,
                MaxTokens = Tokens,
                Sampling = new SamplingOptions { Temperature = 0 },
            }))
            {
                lasts[i] = Stopwatch.GetTimestamp();
                firsts[i] = firsts[i] == 0 ? lasts[i] : firsts[i];
            }
        }));
        return prompts.Length * (Tokens - 1) / Stopwatch.GetElapsedTime(firsts.Max(), lasts.Max()).TotalSeconds;
    }

    private static double Bare(RawContext context, int[][] prompts)
    {
        var next = new int[prompts.Length];
        var indexes = new int[prompts.Length];
        for (var i = 0; i < prompts.Length; i++)
        {
            context.Cut(i, 0);
            for (var position = 0; position < Prompt; position++)
            {
                indexes[i] = context.Add(prompts[i][position], position, i, position == Prompt - 1);
            }
        }

        context.Decode();
        for (var i = 0; i < prompts.Length; i++)
        {
            next[i] = context.Best(indexes[i]);
        }

        var start = Stopwatch.GetTimestamp();
        for (var token = 0; token < Tokens - 1; token++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                indexes[i] = context.Add(next[i], Prompt + token, i, output: true);
            }

            context.Decode();
            for (var i = 0; i < prompts.Length; i++)
            {
                next[i] = context.Best(indexes[i]);
            }
        }

        var rate = prompts.Length * (Tokens - 1) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (var i = 0; i < prompts.Length; i++)
        {
            context.Cut(i, 0);
        }

        return rate;
    }
}
