using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Bench;

/// <summary>Answers of B agents at a time, against a bare loop over the C API with the same batch.</summary>
internal static class RawDecode
{
    private const int Tokens = 64;

    public static async Task<int> RunAsync(BenchOptions options)
    {
        int[] sizes = [1, 8, 16];
        var model = options.BenchmarkModel;
        var cells = Rates.Cells(sizes.Max(), Tokens);
        using var weights = model.LoadWeights();
        var (engine, driver) = model.OpenEngine(cells, 32, SpeculationOptions.Off);
        await using var owned = engine;
        var (guessing, _) = model.OpenEngine(cells, 32);
        await using var ownedGuessing = guessing;
        using var raw = model.OpenContext(weights, cells, 32);
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
                var prompts = Rates.Prompts(size, engine.Tokenizer.Size, repeat);
                var rates = new double[3];
                var share = 0.0;
                for (var turn = 0; turn < 3; turn++)
                {
                    var contender = (repeat + turn) % 3;
                    var (start, decoding) = (Stopwatch.GetTimestamp(), driver.Decoding);
                    rates[contender] = contender switch
                    {
                        0 => await Rates.DecodeAsync(engine, prompts, Tokens),
                        1 => Rates.Decode(raw, prompts, Tokens, model.Time),
                        _ => await Rates.DecodeAsync(guessing, prompts, Tokens),
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

            var line = new
            {
                B = size,
                Ours = best,
                Bare = bestRaw,
                Ratio = Ranked.Median(ratios),
                Least = ratios.Min(),
                Most = ratios.Max(),
                OutsideLibrary = Ranked.Median(outside),
                GuessingRatio = Ranked.Median(guessed),
            };
            report.Add(line);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {line.B,2} | {line.Ours,13:0.0} | {line.Bare,13:0.0} | {line.Ratio,27:0.000} | {line.Least,5:0.00} | {line.Most,4:0.00} | {line.OutsideLibrary,19:P1} | {line.GuessingRatio,19:0.000} |"));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { options.Model, options.Threads, Sizes = report }, JsonSerializerOptions.Web));
        return 0;
    }
}
