using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Workloads;

namespace Orchestrator.Inference.Bench;

/// <summary>64 conversations for minutes: memory must be flat after the warm-up, and no cell lost.</summary>
internal static class Soak
{
    // Small enough that both are full within the warm-up.
    private const int Cells = 4_096;
    private const long StateBytes = 32L << 20;
    private const int Samples = 60;

    /// <summary>What the process may grow by after the warm-up; allocators and the runtime's heap move by about this much.</summary>
    private const double AllowedMiB = 16;

    public static async Task<int> RunAsync(BenchOptions options)
    {
        await using var engine = new InferenceEngine(
            LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = options.Model, ContextSize = Cells, MaxSequences = 64, Threads = options.Threads }),
            new InferenceEngineOptions { StateCacheBytes = StateBytes });
        using var end = new CancellationTokenSource(TimeSpan.FromMinutes(options.Minutes));
        var load = new ConversationLoad(engine);
        var running = load.RunAsync(end.Token);
        var samples = new List<Sample>();
        var faults = new List<string>();
        Console.WriteLine("| minute | turns | resident MiB | managed MiB | cells used | queued |");
        Console.WriteLine("|-------:|------:|-------------:|------------:|-----------:|-------:|");
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.Minutes) / Samples);
        var start = Stopwatch.GetTimestamp();
        while (!end.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync();
            samples.Add(Take(Stopwatch.GetElapsedTime(start).TotalMinutes));
            faults.AddRange(await engine.AuditAsync());
            if (samples.Count % (Samples / 10) == 0)
            {
                var (last, figures) = (samples[^1], engine.GetStatistics());
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {last.Minute,6:0.00} | {load.Result.Turns,5} | {last.ResidentMiB,12:0.0} | {last.ManagedMiB,11:0.0} | {figures.CellsUsed,10} | {figures.QueuedRequests,6} |"));
            }
        }

        var result = await running;
        await engine.ClearCacheAsync();
        faults.AddRange(await engine.AuditAsync());
        var left = engine.GetStatistics().CellsUsed;

        // The first third is the warm-up. The medians of the two halves of the rest are compared, which a lone peak can't sway.
        var steady = samples.Skip(samples.Count / 3).ToArray();
        var (early, late) = (Middle(steady[..(steady.Length / 2)]), Middle(steady[(steady.Length / 2)..]));
        var report = new
        {
            options.Model,
            options.Threads,
            options.Minutes,
            Load = result,
            ResidentEarlyMiB = early,
            ResidentLateMiB = late,
            GrowthMiB = late - early,
            CellsLeft = left,
            Faults = faults,
            Statistics = engine.GetStatistics() with { Agents = new Dictionary<string, AgentStatistics>() },
        };
        var good = faults.Count == 0 && left == 0 && result.Malformed == 0 && late - early <= AllowedMiB;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory after the warm-up: {early:0.0} MiB, then {late:0.0} MiB; cells left: {left}; faults of the audit: {faults.Count}; malformed messages: {result.Malformed} of {result.Messages}: {(good ? "sound" : "NOT SOUND")}"));
        Console.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        return good ? 0 : 1;
    }

    /// <summary>After a full collection: what the collector has not got round to is no leak.</summary>
    private static Sample Take(double minute)
    {
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        using var process = Process.GetCurrentProcess();
        return new(minute, process.WorkingSet64 / 1048576.0, managed / 1048576.0);
    }

    private static double Middle(Sample[] samples) => samples.Select(s => s.ResidentMiB).Order().ElementAt(samples.Length / 2);

    private sealed record Sample(double Minute, double ResidentMiB, double ManagedMiB);
}
