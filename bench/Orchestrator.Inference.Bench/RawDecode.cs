using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;

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
        var (engine, driver) = AgentSweep.Open(options, cells, 32, SpeculationOptions.Off);
        await using var owned = engine;
        var (guessing, _) = AgentSweep.Open(options, cells, 32);
        await using var ownedGuessing = guessing;
        using var raw = new RawContext(model, cells, 32, 512, options.Threads);
        Console.WriteLine("|  B | ours tokens/s | bare tokens/s | ours/bare, median of rounds | least | most | outside the library | guessing ahead/bare |");
        Console.WriteLine("|---:|--------------:|--------------:|----------------------------:|------:|-----:|--------------------:|--------------------:|");
        var report = new List<object>();
        foreach (var size in sizes)
        {
            var (ratios, guessed, outside) = (new List<double>(), new List<double>(), new List<double>());
            var (best, bestRaw) = (0.0, 0.0);
            for (var repeat = 0; repeat <= options.Repeats * 3; repeat++)
            {
                // Taking turns at being first, so that a slow drift favours nobody.
                var prompts = Prompts(size, engine.Tokenizer.Size, repeat);
                var rates = new double[3];
                var share = 0.0;
                for (var turn = 0; turn < 3; turn++)
                {
                    var contender = (repeat + turn) % 3;
                    var (start, decoding) = (Stopwatch.GetTimestamp(), driver.Decoding);
                    rates[contender] = contender switch
                    {
                        0 => await Ours(engine, prompts),
                        1 => Bare(raw, prompts),
                        _ => await Ours(guessing, prompts),
                    };
                    share = contender == 0 ? 1 - ((driver.Decoding - decoding) / Stopwatch.GetElapsedTime(start)) : share;
                }

                if (repeat > 0)
                {
                    ratios.Add(rates[0] / rates[1]);
                    guessed.Add(rates[2] / rates[1]);
                    outside.Add(share);
                    (best, bestRaw) = (Math.Max(best, rates[0]), Math.Max(bestRaw, rates[1]));
                }
            }

            ratios.Sort();
            var line = new
            {
                B = size,
                Ours = best,
                Bare = bestRaw,
                Ratio = Median(ratios),
                Least = ratios[0],
                Most = ratios[^1],
                OutsideLibrary = Median(outside),
                GuessingRatio = Median(guessed),
            };
            report.Add(line);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {line.B,2} | {line.Ours,13:0.0} | {line.Bare,13:0.0} | {line.Ratio,27:0.000} | {line.Least,5:0.00} | {line.Most,4:0.00} | {line.OutsideLibrary,19:P1} | {line.GuessingRatio,19:0.000} |"));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { options.Model, options.Threads, Sizes = report }, JsonSerializerOptions.Web));
        return 0;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

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
