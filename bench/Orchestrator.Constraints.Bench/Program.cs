using System.Globalization;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Suites;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Tests.Constraints;

// Two benches of the constraints:
//   SUITE.jsonl MODEL.gguf [--details] [--slow] [--cpu]   a suite in MaskBench's format over a model's vocabulary
//   random COUNT [SEED]                                   random schemas and a random model, judged by ajv (run `npm ci` in its folder first)
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: SUITE.jsonl MODEL.gguf [--details] [--slow] [--cpu] | random COUNT [SEED]");
    return 1;
}

if (args[0] == "random")
{
    var folder = Path.Combine(Directory.GetCurrentDirectory(), "tests", "Orchestrator.Inference.Tests", "Constraints", "ajv");
    if (AjvValidator.Missing(folder) is { } missing)
    {
        Console.Error.WriteLine(missing);
        return 1;
    }

    using var validator = AjvValidator.Start(folder);
    var outcome = new RandomGeneration(new ConstraintCompiler(new TestVocabulary()), validator)
        .Run(args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1, int.Parse(args[1], CultureInfo.InvariantCulture), outputs: 1, mutants: 3);
    foreach (var fault in outcome.Faults.Take(50))
    {
        Console.WriteLine(fault);
    }

    Console.WriteLine($"{outcome.Schemas} schemas ({outcome.Refused} more refused), {outcome.Outputs} outputs, {outcome.Mutants} changed texts of which {outcome.MutantsValid} valid, {outcome.OutOfOrder} of those only out of order; {outcome.Faults.Count} faults");
    return outcome.Faults.Count == 0 ? 0 : 1;
}

var compiler = new ConstraintCompiler(new GgufVocabulary(GgufReader.ReadModel(args[1]).Metadata));
var suite = new ConstraintSuite(compiler, null, args.Contains("--cpu") ? new ThreadTime() : null);
var results = new List<SuiteResult>();
foreach (var line in File.ReadLines(args[0]).Where(line => line.Length > 0))
{
    try
    {
        results.Add(suite.Run(line));
    }
    catch (Exception error)
    {
        Console.WriteLine($"CRASH {line[..Math.Min(100, line.Length)]}\n{error}");
    }
}

foreach (var result in results.Where(result => args.Contains("--details") && result.Outcome != SuiteOutcome.Passed))
{
    Console.WriteLine($"{result.Outcome} {result.File} {result.Keyword} {result.Detail?[..Math.Min(400, result.Detail.Length)]}");
}

foreach (var group in results.GroupBy(result => result.Outcome).OrderBy(group => group.Key))
{
    Console.WriteLine($"{group.Key,-18} {group.Count(),6} {100.0 * group.Count() / results.Count,6:F2} %");
}

foreach (var group in results.Where(result => result.Outcome == SuiteOutcome.Unsupported).GroupBy(result => result.Keyword).OrderByDescending(group => group.Count()))
{
    Console.WriteLine($"  {group.Key ?? "-",-22} {group.Count(),4}");
}

if (args.Contains("--slow"))
{
    foreach (var result in results.OrderByDescending(result => result.CompileMicroseconds).Take(25))
    {
        Console.WriteLine($"  compile {result.CompileMicroseconds,10:F0} µs {result.File}");
    }

    foreach (var result in results.Where(result => result.MaskMicroseconds.Count > 0).OrderByDescending(result => result.MaskMicroseconds.Sum()).Take(25))
    {
        Console.WriteLine($"  mask {result.MaskMicroseconds.Sum(),10:F0} µs of {result.MaskMicroseconds.Count}, max {result.MaskMicroseconds.Max():F0} {result.File}");
    }
}

Print("compile", [.. results.Where(r => r.Outcome != SuiteOutcome.Unsupported).Select(result => result.CompileMicroseconds).Order()]);
Print("mask", [.. results.SelectMany(result => result.MaskMicroseconds).Order()]);
return 0;

static void Print(string what, double[] sorted)
{
    if (sorted.Length > 0)
    {
        Console.WriteLine($"{what,-8} n {sorted.Length}, average {sorted.Average():F1} µs, p50 {sorted[sorted.Length / 2]:F1}, p90 {sorted[(int)(sorted.Length * 0.9)]:F1}, p99 {sorted[(int)(sorted.Length * 0.99)]:F1}, max {sorted[^1]:F1}");
    }
}

