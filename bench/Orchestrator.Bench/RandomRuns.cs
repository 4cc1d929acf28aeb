using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Agents.Prompts;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Bench;

/// <summary>
/// Whole runs with models of random weights: whatever such a model writes, each message that a program reads parses, and
/// every run ends.
/// </summary>
internal static class RandomRuns
{
    private const int RunsOfAModel = 10;

    internal static async Task<int> RunAsync(int count)
    {
        var folder = Directory.CreateTempSubdirectory("orchestrator-bench-").FullName;
        var reasons = new SortedDictionary<string, int>();
        var messages = 0;
        var unparsed = new List<string>();
        try
        {
            using var prompts = new PromptLibrary([Path.Combine(AppContext.BaseDirectory, "prompts")]);
            for (var first = 0; first < count; first += RunsOfAModel)
            {
                var model = TinyModel.Create(Path.Combine(folder, $"{first}.gguf"), new TinyModelOptions { Seed = first + 1, Context = 8192 });
                await using var services = new ServiceCollection()
                    .AddOrchestratorInference(o =>
                    {
                        o.Model = model;
                        o.Threads = 1; // So small a model waits for its threads more than it computes.
                    })
                    .BuildServiceProvider();
                var loaded = await services.GetRequiredService<ModelHost>().LoadAsync();
                for (var seed = first; seed < Math.Min(first + RunsOfAModel, count); seed++)
                {
                    var outcome = await RandomRun.RunAsync(loaded.Chat, prompts, Path.Combine(folder, $"{seed}"), (ulong)seed);
                    messages += outcome.Messages;
                    unparsed.AddRange(outcome.Unparsed);
                    reasons[outcome.Result.Reason] = reasons.GetValueOrDefault(outcome.Result.Reason) + 1;
                    if (outcome.Result.Reason != "completed")
                    {
                        Console.WriteLine($"run {seed}: {outcome.Result.Reason}: {outcome.Result.Summary}");
                    }
                }

                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{Math.Min(first + RunsOfAModel, count)} runs, {messages} machine-read messages, {unparsed.Count} did not parse"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var text in unparsed.Take(5))
        {
            Console.WriteLine($"did not parse: {text}");
        }

        Console.WriteLine(JsonSerializer.Serialize(
            new { runs = count, messages, unparsed = unparsed.Count, reasons }, JsonSerializerOptions.Web));
        return unparsed.Count == 0 ? 0 : 1;
    }
}
