using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// What a conversation of many agents costs: ours, one context for each agent, ours without sharing, and the bare loop
/// over the C API that is the limit; interleaved in one process.
/// </summary>
internal static class AgentSweep
{
    private const double MostDrift = 1.25;

    public static async Task<int> RunAsync(BenchOptions options)
    {
        var workloads = (
            from preamble in options.Preambles
            from rounds in options.Rounds
            from agents in options.Agents
            from talk in new[] { Talk.AtOnce, Talk.InTurn }
            select new Workload(talk, agents, preamble, rounds)).ToList();

        // The roomiest workload without sharing sets the size; a context of the same size for ours and for the limit.
        var shared = workloads.Max(w => w.Longest + (w.Agents * (Workload.Cue + Workload.Answer + 16)));
        var cells = Cells.Round(shared);
        var unshared = Cells.Round(workloads.Max(w => w.Agents * w.Longest));
        var sequences = options.Agents.Max() + 8;
        NativeRuntime.EnsureLoaded();
        using var model = LoadModel(options.Model);
        var (ours, oursDriver) = Open(options, cells, sequences);
        var (apart, apartDriver) = options.Skips("unshared") ? (null, null) : Open(options, unshared, sequences);
        await using var first = ours;
        await using var second = apart;
        using var raw = new RawContext(model, cells, sequences, 512, options.Threads);
        var separate = new ContextPerAgent(model, options.Threads);
        List<Contender> contenders = [new EngineContender("ours", ours, oursDriver!, sharing: true), new Floor(raw)];
        if (!options.Skips("contexts"))
        {
            contenders.Add(separate);
        }

        if (apart is not null)
        {
            contenders.Add(new EngineContender("ours without sharing", apart, apartDriver!, sharing: false));
        }

        var probes = new Probes(options.Threads);
        var report = new List<object>();
        foreach (var workload in workloads)
        {
            Console.WriteLine($"\n{workload}");
            var outcomes = contenders.ToDictionary(c => c, _ => new List<Outcome>());
            probes.Take();
            for (var repeat = 0; repeat < options.Repeats; repeat++)
            {
                var texts = workload.Write(ours.Tokenizer.Size, 1000 + repeat);
                foreach (var contender in contenders)
                {
                    outcomes[contender].Add(await contender.RunAsync(workload, texts));
                }

                separate.Close();
            }

            probes.Take();
            report.AddRange(Print(workload, contenders, outcomes));
        }

        var steady = probes.Drift <= MostDrift;
        Console.WriteLine(FormattableString.Invariant(
            $"\nprobes: memory {probes.Read.Min():0.0}-{probes.Read.Max():0.0} GB/s, multiply {probes.Multiply.Min():0}-{probes.Multiply.Max():0} Gflop/s, drift {probes.Drift:0.00}"));
        Console.WriteLine(JsonSerializer.Serialize(new { options.Model, options.Threads, probes.Drift, Steady = steady, Cells = report }, JsonSerializerOptions.Web));
        if (!steady)
        {
            Console.Error.WriteLine(FormattableString.Invariant($"The machine changed by {probes.Drift:0.00} while it ran (most: {MostDrift}): don't trust the ratios."));
        }

        return steady ? 0 : 1;
    }

    /// <summary>Loads a model's weights for contexts of the C API.</summary>
    public static ModelHandle LoadModel(string path)
    {
        var parameters = LlamaApi.ModelDefaultParams();
        var model = LlamaApi.ModelLoadFromFile(path, parameters);
        return model.IsInvalid ? throw new InvalidOperationException($"{path} cannot be loaded.") : model;
    }

    /// <summary>Opens an engine over a driver that counts.</summary>
    public static (InferenceEngine Engine, CountingDriver Driver) Open(
        BenchOptions options, int cells, int sequences, SpeculationOptions? speculation = null)
    {
        var driver = new CountingDriver(LlamaDriverLoader.Open(new LlamaDriverOptions
        {
            ModelPath = options.Model,
            ContextSize = cells,
            MaxSequences = sequences,
            Threads = options.Threads,
        }));
        return (new InferenceEngine(driver, new InferenceEngineOptions
        {
            AdaptThreads = false,
            Speculation = speculation ?? new SpeculationOptions(),
        }), driver);
    }

    private static IEnumerable<object> Print(
        Workload workload, IReadOnlyList<Contender> contenders, Dictionary<Contender, List<Outcome>> outcomes)
    {
        // The median of the ratios within a repeat: each compares neighbours in time.
        double Ratio(Contender a, Contender b) =>
            Median(outcomes[a].Zip(outcomes[b], (x, y) => x.Wall / y.Wall));
        var limit = contenders.First(c => c is Floor);
        var ours = contenders[0];
        Console.WriteLine("| contender             | wall s | × ours | × limit | computed | drafts |   new | first p50 | first p95 | tokens/s | peak MiB |");
        Console.WriteLine("|-----------------------|-------:|-------:|--------:|---------:|-------:|------:|----------:|----------:|---------:|---------:|");
        foreach (var contender in contenders)
        {
            var all = outcomes[contender];
            var wall = Median(all.Select(o => o.Wall.TotalSeconds));
            var firsts = all.SelectMany(o => o.FirstTokens).Order().ToList();
            var line = new
            {
                Workload = workload.ToString(),
                Contender = contender.Name,
                Wall = wall,
                PerOurs = Ratio(contender, ours),
                PerLimit = Ratio(contender, limit),
                Computed = all.Max(o => o.Computed),
                Drafted = all.Max(o => o.Drafted),
                New = all.Max(o => o.New),
                FirstP50 = firsts[firsts.Count / 2].TotalSeconds,
                FirstP95 = firsts[firsts.Count * 95 / 100].TotalSeconds,
                TokensPerSecond = workload.Answers * Workload.Answer / wall,
                PeakMiB = all.Max(o => o.PeakMemory) >> 20,
            };
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {line.Contender,-21} | {line.Wall,6:0.00} | {line.PerOurs,6:0.00} | {line.PerLimit,7:0.00} | {line.Computed,8} | {line.Drafted,6} | {line.New,5} | {line.FirstP50,9:0.000} | {line.FirstP95,9:0.000} | {line.TokensPerSecond,8:0.0} | {line.PeakMiB,8} |"));
            yield return line;
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
