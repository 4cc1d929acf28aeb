using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Inference.Hosting;
using Orchestrator.Server;
using Orchestrator.ToolCalls.Bench;

const string Usage = """
    How often required tool calls parse, name the right function, and are right as a whole, as a client of the server gets them.

    dotnet run -c Release --project bench/Orchestrator.ToolCalls.Bench -- --suite FILE.jsonl --model PATH [options]

      --suite FILE      cases in the format of the Berkeley Function Calling Leaderboard; may be named several times
      --answers FILE    where the suite's ground_truth is kept apart
      --model PATH      a GGUF file
      --take N          the first N cases of each suite
      --skip N          after this many
      --at-once N       requests under way at the same time (default 8)
      --threads N       compute threads (default one for each core)
      --details         print each case that went wrong
    """;

var suites = new List<string>();
var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = 0; i < args.Length; i++)
{
    if (args[i] == "--details")
    {
        options[args[i]] = "";
    }
    else if (args[i] == "--suite" && i + 1 < args.Length)
    {
        suites.Add(args[++i]);
    }
    else if (args[i] is "--answers" or "--model" or "--take" or "--skip" or "--at-once" or "--threads" && i + 1 < args.Length)
    {
        options[args[i]] = args[++i];
    }
    else
    {
        Console.Error.WriteLine(Usage);
        return 1;
    }
}

if (suites.Count == 0 || !options.TryGetValue("--model", out var model))
{
    Console.Error.WriteLine(Usage);
    return 1;
}

int Number(string name, int otherwise) =>
    options.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

await using var services = new ServiceCollection()
    .AddLogging()
    .AddOrchestratorInference(o =>
    {
        o.Model = Path.GetFullPath(model);
        o.Threads = Number("--threads", 0);
    })
    .BuildServiceProvider();
var chat = (await services.GetRequiredService<ModelHost>().LoadAsync(model)).Chat;
await using var server = await ModelServer.StartAsync(
    new ServerOptions { Url = "http://127.0.0.1:0" }, chat, embeddings: null, TimeProvider.System);
using var client = new ToolCallClient(new Uri(server.Url), server.Token!);
Console.WriteLine($"{"suite",-24} {"offered",-8} {"cases",5} {"parsed",7} {"function",8} {"right",7} {"longest",8} {"s",6}");
foreach (var suite in suites)
{
    var cases = ToolCase.Read(suite, options.GetValueOrDefault("--answers")).Skip(Number("--skip", 0)).Take(Number("--take", int.MaxValue)).ToList();
    var outcomes = new Outcome[cases.Count];
    var watch = Stopwatch.StartNew();
    await Parallel.ForAsync(
        0,
        cases.Count,
        new ParallelOptions { MaxDegreeOfParallelism = Number("--at-once", 8) },
        async (i, cancellation) =>
        {
            outcomes[i] = await client.AskAsync(cases[i], cancellation);
            if (options.ContainsKey("--details"))
            {
                Console.WriteLine($"  {cases[i].Id}: {outcomes[i].Fault ?? "right"}");
            }
        });

    foreach (var group in outcomes.GroupBy(o => o.Case.Functions.Count > 1).OrderBy(g => g.Key))
    {
        double Share(Func<Outcome, bool> what) => 100.0 * group.Count(what) / group.Count();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileNameWithoutExtension(suite),-24} {(group.Key ? "several" : "one"),-8} {group.Count(),5} {Share(o => o.Parsed),6:F1}% {Share(o => o.Named),7:F1}% {Share(o => o.Fault is null),6:F1}% {group.Max(o => o.Tokens),8} {watch.Elapsed.TotalSeconds,6:F0}"));
    }
}

return 0;
