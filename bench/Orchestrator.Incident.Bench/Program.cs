using System.Globalization;
using System.Text.Json;
using Incident.Generator;
using Orchestrator.Incident.Bench;

const string Usage = """
    How often the failing service of an incident is named: by chance, by the tools' first rank, and by the team.

    dotnet run -c Release --project bench/Orchestrator.Incident.Bench -- [--model PATH] [--incidents N] [--first-seed N] [--development] [--json FILE]

      --model PATH      a GGUF file; without it only the tools are measured
      --incidents N     how many (default 20)
      --first-seed N    seed of the first (default 9001)
      --development     the kinds of fault that the tools were built with, instead of those held out
      --json FILE       where the results go, too
    """;

var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--development")
    {
        options[args[i]] = "";
    }
    else if (args[i] is "--model" or "--incidents" or "--first-seed" or "--json" && i + 1 < args.Length)
    {
        options[args[i]] = args[++i];
    }
    else
    {
        Console.Error.WriteLine(Usage);
        return 1;
    }
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
var count = int.Parse(options.GetValueOrDefault("--incidents", "20"), CultureInfo.InvariantCulture);
var first = int.Parse(options.GetValueOrDefault("--first-seed", "9001"), CultureInfo.InvariantCulture);
var kinds = FaultKind.All.Where(k => k.HeldOut != options.ContainsKey("--development")).ToList();
var root = AppContext.BaseDirectory;
while (!File.Exists(Path.Combine(root, "Orchestrator.sln")))
{
    root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("This runs from a clone of the repository.");
}

var scratch = Directory.CreateTempSubdirectory("incident-bench").FullName;
try
{
    var trials = new List<Trial>();
    await using var team = options.TryGetValue("--model", out var model) ? await TeamTrials.StartAsync(model, root, stop.Token) : null;
    Console.WriteLine($"{"seed",5} {"kind",-18} {"began in",-11} {"tools",-11} {"team",-11} {"cited",5} {"broken",6} {"s",6} {"computed",8} {"reused",7}");
    for (var i = 0; i < count && !stop.IsCancellationRequested; i++)
    {
        var folder = Path.Combine(scratch, $"{i}");
        var trial = Trial.Prepare(first + i, kinds[i % kinds.Count], Path.Combine(folder, "logs"));
        if (team is not null)
        {
            trial = await team.RunAsync(trial, Path.Combine(folder, "logs"), Path.Combine(folder, "output"), (ulong)i + 1, stop.Token);
        }

        trials.Add(trial);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trial.Seed,5} {trial.Kind,-18} {trial.Service,-11} {trial.Tools,-11} {trial.Team ?? "-",-11} {trial.Citations,5} {trial.Broken,6} {trial.Seconds,6:0} {trial.Computed,8} {trial.Reused,7} {(trial.Reason is null or "completed" ? "" : trial.Reason)}"));
        if (options.TryGetValue("--json", out var json))
        {
            File.WriteAllText(json, JsonSerializer.Serialize(trials, JsonSerializerOptions.Web));
        }
    }

    var named = trials.Where(t => t.Team is not null).ToList();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"chance {trials.Average(t => 1.0 / t.Services):P0}; tools' first rank {trials.Count(t => t.ToolsRank == 1)} of {trials.Count}, among three {trials.Count(t => t.ToolsRank is > 0 and <= 3)}"));
    if (team is not null)
    {
        Console.WriteLine($"team {named.Count(t => t.Team == t.Service)} of {named.Count}, tools on the same {named.Count(t => t.ToolsRank == 1)}; broken citations {trials.Sum(t => t.Broken)} of {trials.Sum(t => t.Citations)}");
    }

    return 0;
}
finally
{
    Directory.Delete(scratch, recursive: true);
}
