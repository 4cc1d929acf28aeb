using System.Globalization;
using System.Text.Json;
using Incident.Generator;
using Orchestrator.Incident.Bench;

const string Usage = """
    How often the failing service of an incident is named: by chance, by the tools' first rank, and by the team.

    dotnet run -c Release --project bench/Orchestrator.Incident.Bench -- [--development] [--seeds A..B] [--model PATH] [--json FILE]
    dotnet run -c Release --project bench/Orchestrator.Incident.Bench -- --fit [--verbose] [--seeds A..B]
    dotnet run -c Release --project bench/Orchestrator.Incident.Bench -- --fit-votes FILE

      --model PATH      a GGUF file; without it only the tools are measured
      --threads N       threads for the model (default: as for any run)
      --development     the kinds of fault that the tools were built with, instead of those held out
      --seeds A..B      which incidents (default 20001..20020, development 100..201); a seed has always the same kind of fault
      --json FILE       where the results go, too; other seeds' results in it are kept, so that a measurement can go in portions
      --fit             fits the weights of the tools' signals on development incidents
      --fit-votes FILE  fits how much votes count, on the results of development incidents with a model

    What is held out is never tuned on: a change to the tools, prompts or weights is judged by development incidents, with each
    kind of fault left out in turn (--fit). A held-out kind whose results were looked at in order to change something becomes a
    development kind, and new ones are written, and committed before they are measured.
    """;
const int HeldOutBase = 20001;
const int DevelopmentBase = 100;

var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = 0; i < args.Length; i++)
{
    if (args[i] is "--development" or "--fit" or "--verbose")
    {
        options[args[i]] = "";
    }
    else if (args[i] is "--model" or "--threads" or "--seeds" or "--json" or "--fit-votes" && i + 1 < args.Length)
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
if (options.TryGetValue("--fit-votes", out var recorded))
{
    VoteFit.Print(Read(recorded));
    return 0;
}

var isDevelopment = options.ContainsKey("--development") || options.ContainsKey("--fit");
var kinds = FaultKind.All.Where(k => k.HeldOut != isDevelopment).ToList();
var range = options.GetValueOrDefault("--seeds", isDevelopment ? "100..201" : "20001..20020").Split("..");
if (range.Length != 2 || !int.TryParse(range[0], out var first) || !int.TryParse(range[1], out var last))
{
    Console.Error.WriteLine(Usage);
    return 1;
}

FaultKind KindOf(int seed) => kinds[Math.Abs(seed - (isDevelopment ? DevelopmentBase : HeldOutBase)) % kinds.Count];

var scratch = Directory.CreateTempSubdirectory("incident-bench").FullName;
try
{
    if (options.ContainsKey("--fit"))
    {
        var fit = new WeightFit();
        for (var seed = first; seed <= last && !stop.IsCancellationRequested; seed++)
        {
            fit.Add(seed, KindOf(seed), Path.Combine(scratch, $"{seed}"));
        }

        fit.Print(options.ContainsKey("--verbose"));
        return 0;
    }

    var root = AppContext.BaseDirectory;
    while (!File.Exists(Path.Combine(root, "Orchestrator.sln")))
    {
        root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("This runs from a clone of the repository.");
    }

    var json = options.GetValueOrDefault("--json");
    var trials = json is not null && File.Exists(json) ? Read(json).Where(t => t.Seed < first || t.Seed > last).ToList() : [];
    await using var team = options.TryGetValue("--model", out var model) ? await TeamTrials.StartAsync(model, options.TryGetValue("--threads", out var threads) ? int.Parse(threads, CultureInfo.InvariantCulture) : null, root, stop.Token) : null;
    Console.WriteLine($"{"seed",5} {"kind",-18} {"began in",-11} {"tools",-11} {"team",-11} {"cited",5} {"broken",6} {"s",6} {"computed",8} {"reused",7}");
    for (var seed = first; seed <= last && !stop.IsCancellationRequested; seed++)
    {
        var folder = Path.Combine(scratch, $"{seed}");
        var trial = Trial.Prepare(seed, KindOf(seed), Path.Combine(folder, "logs"));
        if (team is not null)
        {
            trial = await team.RunAsync(trial, Path.Combine(folder, "logs"), Path.Combine(folder, "output"), (ulong)seed, stop.Token);
        }

        trials.Add(trial);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trial.Seed,5} {trial.Kind,-18} {trial.Service,-11} {trial.Tools,-11} {trial.Team ?? "-",-11} {trial.Citations,5} {trial.Broken,6} {trial.Seconds,6:0} {trial.Computed,8} {trial.Reused,7} {(trial.Reason is null or "completed" ? "" : trial.Reason)}"));
        if (json is not null)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(trials.OrderBy(t => t.Seed), JsonSerializerOptions.Web));
        }
    }

    Summary.Print(trials);
    return 0;
}
finally
{
    Directory.Delete(scratch, recursive: true);
}

static List<Trial> Read(string file) => JsonSerializer.Deserialize<List<Trial>>(File.ReadAllText(file), JsonSerializerOptions.Web) ?? [];
