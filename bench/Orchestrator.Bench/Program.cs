using Orchestrator.Bench;

// One file for each benchmark; each prints a table and, as its last line, the same as JSON.
return args switch
{
    ["framework"] => await FrameworkCost.RunAsync(),
    ["random-runs"] => await RandomRuns.RunAsync(200),
    ["random-runs", var count] when int.TryParse(count, out var runs) => await RandomRuns.RunAsync(runs),
    ["speculation", var model] => await Speculation.RunAsync(model, null),
    ["speculation", var model, var draft] => await Speculation.RunAsync(model, draft),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project bench/Orchestrator.Bench -- BENCHMARK");
    Console.Error.WriteLine("  framework   what a turn costs beside the model: 8 agents, 40 to 10,000 turns");
    Console.Error.WriteLine("  random-runs [N]   whole runs with models of random weights: all parse, all end; 200 unless told");
    Console.Error.WriteLine("  speculation MODEL [DRAFT]   guessing ahead on and off, by turns: copies and free text; MODEL speaks ChatML");
    return 1;
}
