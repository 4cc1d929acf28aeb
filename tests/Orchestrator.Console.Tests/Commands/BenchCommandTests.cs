using System.CommandLine;
using System.Text.Json;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Bench;
using Orchestrator.Console.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Commands;

public sealed class BenchCommandTests : IDisposable
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

    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Json_lines_hold_every_figure_under_the_names_that_are_promised()
    {
        var (exit, output, _) = await RunAsync("--quick", "--agents", "3", "--preamble", "40", "--rounds", "2", "--model", TinyModel.SharedPath, "--json");
        Assert.Equal(ExitCodes.Ok, exit);

        JsonElement[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
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
    public async Task What_is_computed_and_reused_adds_up_and_only_one_context_per_agent_computes_more_than_is_new()
    {
        var (_, output, _) = await RunAsync("--quick", "--agents", "3", "--preamble", "40", "--rounds", "2", "--model", TinyModel.SharedPath, "--json");
        var conversations = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).Where(line => Kind(line) == "conversation").ToList();
        foreach (var talk in conversations.GroupBy(line => line.GetProperty("talk").GetString()))
        {
            Assert.Single(talk.Select(line => Whole(line, "computedTokens") + Whole(line, "reusedTokens")).Distinct());
            Assert.All(talk, line => Assert.Equal(
                line.GetProperty("contender").GetString() == "bare loop" || line.GetProperty("contender").GetString() == "orchestrator"
                    ? Whole(line, "newTokens")
                    : Whole(talk.First(), "newTokens") + (2 * (40 + (3 * 64))),
                Whole(line, "computedTokens")));
        }
    }

    [Fact]
    public async Task People_get_tables_and_are_told_what_not_to_trust()
    {
        var (exit, output, _) = await RunAsync("--quick", "--agents", "1", "--preamble", "8", "--model", TinyModel.SharedPath);
        Assert.Equal(ExitCodes.Ok, exit);
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

    private async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await Root().Parse(["bench", .. arguments, "--no-color", "--root", _root])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (exit, output.ToString(), error.ToString());
    }
}
