using Orchestrator.Inference.Bench;

// One file for each benchmark; each prints a table and, as its last line, the same as JSON.
try
{
    return args switch
    {
        ["agents", .. var rest] => await AgentSweep.RunAsync(BenchOptions.Parse(rest)),
        ["decode", .. var rest] => await RawDecode.RunAsync(BenchOptions.Parse(rest)),
        ["constrain", .. var rest] => await Constraining.RunAsync(BenchOptions.Parse(rest)),
        ["decide", .. var rest] => await Decisions.RunAsync(BenchOptions.Parse(rest)),
        ["soak", .. var rest] => await Soak.RunAsync(BenchOptions.Parse(rest)),
        ["model", var name] => Print(BenchOptions.ModelOf(name)),
        _ => Usage(),
    };
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    return Usage();
}

static int Print(string path)
{
    Console.WriteLine(path);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project bench/Orchestrator.Inference.Bench -- BENCHMARK --model GGUF [--threads N] [--repeats N]");
    Console.Error.WriteLine("  agents    a conversation of many agents: ours, one context for each agent, without sharing, a bare loop");
    Console.Error.WriteLine("            [--agents 8,16] [--preambles 1024,4096] [--rounds 2,5] [--attempts 3] [--llama-server PATH]");
    Console.Error.WriteLine("            [--skip contexts,unshared,server,server-shared]");
    Console.Error.WriteLine("  decode    tokens a second of 1, 8 and 16 answers at a time, against the bare loop");
    Console.Error.WriteLine("  decide    a decision among 8 options by likelihood, against a JSON answer of 40 tokens that is parsed");
    Console.Error.WriteLine("  constrain decoding under a schema against free decoding, and a protocol message against as many free tokens");
    Console.Error.WriteLine("  soak      64 conversations at a time [--minutes 10]: memory must be flat, and no cell lost");
    Console.Error.WriteLine("  model     NAME: writes one of the models below, and prints where");
    Console.Error.WriteLine("--model half-billion writes a model of that size with random weights and measures that; half-billion-o200k and");
    Console.Error.WriteLine("tiny-o200k have the tokens of a published vocabulary, which `npm ci` in bench/Orchestrator.Inference.Bench/vocabulary restores");
    return 1;
}
