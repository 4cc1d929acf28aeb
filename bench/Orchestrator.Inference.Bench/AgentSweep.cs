using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// What a conversation of many agents costs: ours, the bare loop over the C API that is the limit, one context for each
/// agent, ours without sharing, and llama-server where a path to it is given; by turns. A cell during which the machine
/// drifted is measured again behind the others.
/// </summary>
internal static class AgentSweep
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static async Task<int> RunAsync(BenchOptions options)
    {
        var workloads = (
            from preamble in options.Preambles
            from rounds in options.Rounds
            from agents in options.Agents
            from talk in new[] { Talk.AtOnce, Talk.InTurn }
            select new Workload(talk, agents, preamble, rounds)).ToList();
        var model = options.BenchmarkModel;
        var contenders = Contenders(options, model);
        var vocabulary = ModelCard.Of(GgufValidator.ReadValid(model.Path)).Vocabulary;
        var watch = new MachineWatch(new MachineProbe(model.Threads, model.Time).Read);
        foreach (var contender in contenders)
        {
            await contender.RunAsync(Workload.WarmUp, Workload.WarmUp.Write(vocabulary, 0));
        }

        var cells = await MachineWatch.MeasureAsync(
            workloads,
            options.Attempts,
            async (workload, attempt) =>
            {
                Console.WriteLine($"\n{workload}{(attempt > 1 ? $", attempt {attempt}" : "")}");
                var cell = await ConversationFigures.MeasureAsync(workload, contenders, options.Repeats, vocabulary, watch);
                Print(cell);
                return cell;
            },
            cell => cell.Drift);
        return Report(options, model, watch, cells);
    }

    private static List<Contender> Contenders(BenchOptions options, BenchmarkModel model)
    {
        List<(string Name, Contender Contender)> all =
        [
            ("", new EngineContender("ours", model, sharing: true)),
            ("", new BareLoop(model)),
            ("contexts", new ContextPerAgent(model)),
            ("unshared", new EngineContender("ours without sharing", model, sharing: false)),
        ];
        if (options.LlamaServer is { } program)
        {
            all.Add(("server", new LlamaServerContender(program, model, sharing: false)));
            all.Add(("server-shared", new LlamaServerContender(program, model, sharing: true)));
        }

        return [.. all.Where(c => !options.Skips(c.Name)).Select(c => c.Contender)];
    }

    private static int Report(
        BenchOptions options, BenchmarkModel model, MachineWatch watch, IReadOnlyList<(ConversationFigures Figures, int Attempts)> cells)
    {
        var rejected = cells.Where(cell => !cell.Figures.Trusted).ToList();
        var (read, multiply) = (watch.Readings.Select(r => r.ReadGigabytes), watch.Readings.Select(r => r.MultiplyGigaflops));
        Console.WriteLine(FormattableString.Invariant(
            $"\nprobes: memory {read.Min():0.0}-{read.Max():0.0} GB/s, multiply {multiply.Min():0}-{multiply.Max():0} Gflop/s; {cells.Count - rejected.Count} of {cells.Count} cells trusted, each in at most {options.Attempts} attempts"));
        foreach (var (figures, _) in rejected)
        {
            Console.Error.WriteLine(FormattableString.Invariant(
                $"rejected: {figures.Workload}: the machine drifted by {figures.Drift:0.00} (at most {MachineWatch.MostDrift})"));
        }

        Console.WriteLine(JsonSerializer.Serialize(
            new
            {
                options.Model,
                model.Threads,
                options.Repeats,
                MachineWatch.MostDrift,
                watch.Readings,
                Trusted = rejected.Count == 0,
                Cells = cells.Select(cell => new { cell.Figures.Workload, cell.Figures.Drift, cell.Figures.Trusted, cell.Attempts, cell.Figures.Contenders }),
            },
            Json));
        return rejected.Count == 0 ? 0 : 1;
    }

    private static void Print(ConversationFigures cell)
    {
        Console.WriteLine("| contender                   | wall s | × ours | of limit | computed | reused |   new | drafts | first p50 | first p95 | tokens/s | peak MiB |");
        Console.WriteLine("|-----------------------------|-------:|-------:|---------:|---------:|-------:|------:|-------:|----------:|----------:|---------:|---------:|");
        foreach (var c in cell.Contenders)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {c.Name,-27} | {c.Seconds,6:0.00} | {c.TimesOurs,6:0.00} | {c.ShareOfLimit,8:0.00} | {c.ComputedTokens,8} | {c.ReusedTokens,6} | {c.NewTokens,5} | {c.DraftedTokens,6} | {c.FirstTokenP50,9:0.000} | {c.FirstTokenP95,9:0.000} | {c.TokensPerSecond,8:0.0} | {c.PeakBytes >> 20,8} |"));
        }

        Console.WriteLine(FormattableString.Invariant($"drift {cell.Drift:0.00}: {(cell.Trusted ? "trusted" : "REJECTED")}"));
    }
}
