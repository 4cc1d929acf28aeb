using System.CommandLine;
using System.Text.Json;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Bench;
using Orchestrator.Console.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Commands;

public sealed class BenchCommandTests(BenchCommandTests.Run run) : IClassFixture<BenchCommandTests.Run>
{
    private const string Rate = "kind tokens tokensPerSecond bareTokensPerSecond shareOfBare shareOfLimit drift trusted";
    private const string Conversation =
        "kind talk agents preamble rounds contender seconds timesOurs shareOfLimit computedTokens reusedTokens newTokens draftedTokens " +
        "firstTokenP50 firstTokenP95 tokensPerSecond peakBytes drift trusted";

    private static readonly Dictionary<string, string> Fields = new()
    {
        ["machine"] = "kind model weightBytes threads readGigabytes multiplyGigaflops",
        ["prefill"] = Rate,
        ["decode"] = Rate,
        ["conversation"] = Conversation,
        ["verdict"] = "kind drift mostDrift trusted",
    };

    [Fact]
    public void Json_lines_hold_every_figure_under_the_names_that_are_promised()
    {
        var lines = run.Lines;
        Assert.Equal(
            ["machine", "prefill", "decode", "decode", "decode", .. Enumerable.Repeat("conversation", 6), "verdict"], lines.Select(Kind));
        Assert.All(lines, line => Assert.Equal(
            Fields[Kind(line)].Split(' ').Where(IsKnownHere), line.EnumerateObject().Select(property => property.Name)));
        Assert.Equal([1, 8, 16], lines.Where(line => Kind(line) == "decode").Select(line => Whole(line, "tokens")));
        Assert.Equal(
            from talk in new[] { "atOnce", "inTurn" }
            from contender in new[] { "orchestrator", "one context per agent", "bare loop" }
            select (talk, contender),
            lines.Where(line => Kind(line) == "conversation").Select(line => (line.GetProperty("talk").GetString()!, line.GetProperty("contender").GetString()!)));
        Assert.All(
            from line in lines
            from property in line.EnumerateObject()
            where property.Name is "tokensPerSecond" or "seconds" or "readGigabytes" or "multiplyGigaflops" or "firstTokenP95"
            select property.Value.GetDouble(),
            figure => Assert.True(double.IsFinite(figure) && figure > 0));

        var drift = lines[^1].GetProperty("drift").GetDouble();
        Assert.Equal(drift <= lines[^1].GetProperty("mostDrift").GetDouble(), lines[^1].GetProperty("trusted").GetBoolean());
    }

    [Fact]
    public void Each_way_computes_what_is_new_in_its_own_prompts_and_reuses_the_rest()
    {
        foreach (var talk in run.Lines.Where(line => Kind(line) == "conversation").GroupBy(line => line.GetProperty("talk").GetString()))
        {
            Assert.Single(talk.Select(line => Whole(line, "computedTokens") + Whole(line, "reusedTokens")).Distinct());
            Assert.All(talk, line => Assert.Equal(Whole(line, "newTokens"), Whole(line, "computedTokens")));
            var computed = talk.ToDictionary(line => line.GetProperty("contender").GetString()!, line => Whole(line, "computedTokens"));
            Assert.Equal(computed["bare loop"], computed["orchestrator"]);
            Assert.True(computed["one context per agent"] > computed["orchestrator"]);
        }
    }

    [Fact]
    public async Task People_get_tables_of_the_same()
    {
        var output = await RunAsync("--agents", "1", "--preamble", "8");
        foreach (var text in new[] { "tiny", "GB/s", "writing 16 answers", "all at once", "one after another", "one context per agent", "bare loop" })
        {
            Assert.Contains(text, output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--agents", "0")]
    [InlineData("--agents", "33")]
    [InlineData("--preamble", "0")]
    [InlineData("--rounds", "21")]
    public void A_size_out_of_range_is_refused_before_anything_is_loaded(string option, string value)
    {
        var error = Assert.Single(Root().Parse(["bench", option, value]).Errors);
        Assert.Contains($"{option} must be", error.Message, StringComparison.Ordinal);
    }

    // The size of a process is known on Linux only.
    private static bool IsKnownHere(string field) => field != "peakBytes" || OperatingSystem.IsLinux();

    private static string Kind(JsonElement line) => line.GetProperty("kind").GetString()!;

    private static int Whole(JsonElement line, string name) => line.GetProperty(name).GetInt32();

    private static RootCommand Root() => new() { GlobalOptions.Json, GlobalOptions.NoColor, GlobalOptions.Verbose, GlobalOptions.Root, new BenchCommand() };

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var root = Directory.CreateTempSubdirectory("orchestrator-").FullName;
        try
        {
            // What is computed is the same with one thread, and nothing waits for another program's.
            await File.WriteAllTextAsync(Path.Combine(root, "appsettings.json"), """{"Orchestrator": {"Threads": 1}}""");
            using var output = new StringWriter();
            using var error = new StringWriter();
            var exit = await Root().Parse(["bench", "--quick", "--model", TinyModel.SharedPath, .. arguments, "--no-color", "--root", root])
                .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
            Assert.True(exit == ExitCodes.Ok, error.ToString());
            return output.ToString();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>One benchmark, whose figures several tests look at.</summary>
    public sealed class Run : IAsyncLifetime
    {
        internal JsonElement[] Lines { get; private set; } = [];

        public async Task InitializeAsync()
        {
            var output = await RunAsync("--agents", "3", "--preamble", "40", "--rounds", "2", "--json");
            Lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
