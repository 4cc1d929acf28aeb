using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Core.Models;
using Orchestrator.Decisions.Bench;
using Orchestrator.Inference.Hosting;

const string Usage = """
    How often decisions by likelihood are right.

    dotnet run -c Release --project bench/Orchestrator.Decisions.Bench -- classify FILE.csv --model PATH [options]
    dotnet run -c Release --project bench/Orchestrator.Decisions.Bench -- tools --model PATH

      classify     choose the category of each text of a CSV file (text,category) from the categories' names alone
        --rows N       how many rows, drawn at random (default 100)
        --seed N       which (default 1)
        --skip N       how many of those drawn to pass over, e.g. since they were used for development (default 0)
        --method M     auto, channel, calibratedChannel, direct or calibrated (default auto)
      tools        choose a tool, or none, for requests written by hand (tool-requests.json)
    """;

if (args.Length < 3)
{
    Console.Error.WriteLine(Usage);
    return 1;
}

var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = args[0] == "classify" ? 2 : 1; i < args.Length; i += 2)
{
    if (args[i] is not ("--model" or "--rows" or "--seed" or "--skip" or "--method") || i + 1 == args.Length)
    {
        Console.Error.WriteLine(Usage);
        return 1;
    }

    options[args[i]] = args[i + 1];
}

if (!options.TryGetValue("--model", out var path) || args[0] is not ("classify" or "tools"))
{
    Console.Error.WriteLine(Usage);
    return 1;
}

int Number(string name, int otherwise) =>
    options.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

await using var services = new ServiceCollection()
    .AddLogging()
    .AddOrchestratorInference(o => o.Model = Path.GetFullPath(path))
    .BuildServiceProvider();
var scorer = (await services.GetRequiredService<ModelHost>().LoadAsync(path)).Scorer;
if (args[0] == "tools")
{
    await ToolRequests.Read(Path.Combine(AppContext.BaseDirectory, "tool-requests.json")).RunAsync(scorer);
    return 0;
}

var (rows, categories) = LabelledTexts.Draw(args[1], Number("--rows", 100), Number("--seed", 1), Number("--skip", 0));
Choice[] choices = [.. categories.Select(c => new Choice(c))];
var method = Enum.Parse<ChoiceMethod>(options.GetValueOrDefault("--method", "auto"), ignoreCase: true);
var (right, amongFive, computed) = (0, 0, 0L);
var watch = Stopwatch.StartNew();
foreach (var (text, category) in rows)
{
    var result = await scorer.ScoreAsync(new ChoiceQuestion { Evidence = text, Options = choices, Method = method });
    right += result.Best.Choice.Name == category ? 1 : 0;
    amongFive += result.Scores.OrderByDescending(s => s.Probability).Take(5).Any(s => s.Choice.Name == category) ? 1 : 0;
    computed += result.ComputedTokens;
}

var deviation = 100 * Math.Sqrt((double)right / rows.Count * (1 - ((double)right / rows.Count)) / rows.Count);
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{method}: {right} of {rows.Count} right ({100.0 * right / rows.Count:F1} %, standard error {deviation:F1}), among the first five {100.0 * amongFive / rows.Count:F1} %; {categories.Count} categories, {computed / rows.Count} tokens and {watch.Elapsed.TotalSeconds / rows.Count:F1} s a decision"));
return 0;
