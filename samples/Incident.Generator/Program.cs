using System.Text.Encodings.Web;
using System.Text.Json;
using Incident.Generator;

const string Usage = """
    Writes the log files of a made-up shop in which one thing has gone wrong.

    dotnet run --project samples/Incident.Generator -- --seed N --out FOLDER [--truth FILE] [--kind KIND]
    dotnet run --project samples/Incident.Generator -- --list

      --seed N      everything follows from it
      --out FOLDER  where the log files go
      --truth FILE  where the truth goes, as JSON; keep it out of FOLDER
      --kind KIND   the kind of fault; by default one that the seed picks
      --list        the kinds of fault, the held-out ones marked
    """;

if (args is ["--list"])
{
    foreach (var kind in FaultKind.All)
    {
        Console.WriteLine(kind.HeldOut ? $"{kind.Name} (held out)" : kind.Name);
    }

    return 0;
}

var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = 0; i < args.Length; i += 2)
{
    if (args[i] is not ("--seed" or "--out" or "--truth" or "--kind") || i + 1 == args.Length)
    {
        Console.Error.WriteLine(Usage);
        return 1;
    }

    options[args[i]] = args[i + 1];
}

if (!options.TryGetValue("--out", out var folder) || !int.TryParse(options.GetValueOrDefault("--seed"), out var seed))
{
    Console.Error.WriteLine(Usage);
    return 1;
}

try
{
    var incident = IncidentFolder.Make(seed, options.TryGetValue("--kind", out var name) ? FaultKind.Named(name) : null);
    incident.Write(folder);
    if (options.TryGetValue("--truth", out var truth))
    {
        var json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        File.WriteAllText(truth, JsonSerializer.Serialize(incident.Truth, json) + "\n");
    }

    return 0;
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
