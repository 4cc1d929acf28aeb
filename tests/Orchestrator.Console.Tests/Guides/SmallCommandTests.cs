using System.Text.Json;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>
/// The commands of CONTRIBUTING.md and docs/benchmarks.md run, with a tiny model and small sizes. A benchmark is started
/// as the build left it, since <c>dotnet run -c Release</c> would build it once more.
/// </summary>
public sealed class SmallCommandTests : IDisposable
{
    private const string Run = "dotnet run -c Release --project ";
    private const string Benchmark = Run + "bench/Orchestrator.";

    /// <summary>
    /// What a command begins with, and what makes it small: an option that is given twice has its last value. Some judge
    /// times or memory and end with 1 where this machine has too little of them, which is not what is asked here.
    /// </summary>
    private static readonly (string Begin, string More, bool Judges)[] Small =
    [
        (Benchmark + "Inference.Bench -- agents", "--agents 2 --preambles 16 --rounds 1 --repeats 1 --attempts 1 --threads 1", true),
        (Benchmark + "Inference.Bench -- decode", "--repeats 1 --threads 1", false),
        (Benchmark + "Inference.Bench -- decide", "--repeats 1 --threads 1", false),
        (Benchmark + "Inference.Bench -- constrain", "--repeats 1 --threads 1", false),
        (Benchmark + "Inference.Bench -- soak", "--minutes 0.02 --threads 1", true),
        (Benchmark + "Bench -- framework", "", true),
        (Benchmark + "Bench -- random-runs", "", false),
        (Benchmark + "Constraints.Bench -- random", "", false),
        (Benchmark + "Decisions.Bench -- classify", "--rows 2", false),
        (Benchmark + "ToolCalls.Bench", "--take 1 --threads 1", false),
        (Benchmark + "Incident.Bench", "--seeds 20001..20001 --threads 1", false),
        ("orchestrator schema check --suite", "", false),
    ];

    /// <summary>What is only parsed (<see cref="DocumentedCommandTests"/>), and why.</summary>
    private static readonly (string Line, string Why)[] OnlyParsed =
    [
        ("dotnet test", "These tests are a part of it."),
        ("dotnet pack Orchestrator.sln -c Release -o artifacts/packages", "It builds the whole tree; eng/try-packages.sh runs it."),
        ("dotnet publish src/Orchestrator.Console -c Release -r linux-x64 --self-contained -o artifacts/orchestrator", "It builds half the tree; eng/try-packages.sh runs it."),
        (Benchmark + "Inference.Bench -- model tiny-o200k", "It needs a vocabulary that npm restores."),
        (Benchmark + "Bench -- speculation MODEL.gguf", "It has no smaller size."),
        ("orchestrator bench", "BenchCommandTests runs it."),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-small-").FullName;

    public static TheoryData<string> Lines() =>
    [
        .. Documented().Where(line => !OnlyParsed.Any(parsed => parsed.Line == line)),
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [MemberData(nameof(Lines))]
    public async Task A_documented_command_runs(string line)
    {
        var (_, more, judges) = Assert.Single(Small, small => line.StartsWith(small.Begin, StringComparison.Ordinal));

        var (exit, output) = await OrchestratorProcess.RunAsync($"{Start(Fill(line))} {more}", OrchestratorProcess.RepositoryRoot);

        Skip.If(output.Contains("ajv is not installed", StringComparison.Ordinal), output);
        Assert.True(exit == 0 || (judges && exit == 1 && output.Split('\n').Any(IsJson)), $"`{line}` ended with {exit}:\n{output}");
    }

    [Fact]
    public void Each_is_run_or_said_to_be_only_parsed()
    {
        Assert.Equal(Small.Length, Lines().Count);
        Assert.Equal(Small.Length + OnlyParsed.Length, Documented().Count);
    }

    private static List<string> Documented() =>
        [.. DocumentedCommandTests.LinesOf("CONTRIBUTING.md").Concat(DocumentedCommandTests.LinesOf("docs/benchmarks.md")).Distinct()];

    private static bool IsJson(string line)
    {
        try
        {
            return JsonDocument.Parse(line).RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Puts small things in the place of what a person would name.</summary>
    private string Fill(string line) => line
        .Replace("MODEL.gguf", $"\"{TinyModel.SharedPath}\"", StringComparison.Ordinal)
        .Replace("random-runs 200", "random-runs 1", StringComparison.Ordinal)
        .Replace("random 10000", "random 10", StringComparison.Ordinal)
        .Replace("CASES.jsonl", "bench/Orchestrator.ToolCalls.Bench/cases/multiple-develop.jsonl", StringComparison.Ordinal)
        .Replace("banking77.csv", Write("banking.csv", "text,category\nMy card is gone,lost card\nWhere is my money,top up\n"), StringComparison.Ordinal)
        .Replace("SUITE.jsonl", Write("suite.jsonl", JsonSerializer.Serialize(new { file = "one", schema = "{}", tests = Array.Empty<object>() }) + "\n"), StringComparison.Ordinal);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return $"\"{path}\"";
    }

    private static string Start(string line)
    {
        if (!line.StartsWith(Run, StringComparison.Ordinal))
        {
            return line;
        }

        var (project, arguments) = line[Run.Length..].Split(" -- ", 2) is [var name, var rest] ? (name, rest) : (line[Run.Length..], "");
        return $"dotnet \"{Path.Combine(OrchestratorProcess.OutputOf(project), $"{Path.GetFileName(project)}.dll")}\" {arguments}";
    }
}
