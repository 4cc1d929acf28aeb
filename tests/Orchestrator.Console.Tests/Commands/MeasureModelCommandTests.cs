using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Console.Hosting;
using Orchestrator.Inference.Deciding;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Commands;

/// <summary>On random weights: that it runs and what it shows, not how well a model decides.</summary>
public sealed class MeasureModelCommandTests : IDisposable
{
    private const string Cases = """
        {"text": "What time is it?", "options": [{"name": "clock", "description": "Tells the time."}, {"name": "mail", "description": "Sends a message."}], "right": "clock"}
        {"text": "Write to Ann.", "right": "mail"}
        {"text": "It rains.", "options": [{"name": "weather"}, {"name": "sports"}, {"name": "music"}], "right": "weather"}
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-measure-").FullName;

    public MeasureModelCommandTests()
    {
        TinyModel.Create(Model);
        File.WriteAllText(Path.Combine(_root, "cases.jsonl"), Cases);
        File.WriteAllText(
            Path.Combine(_root, "appsettings.json"),
            """{"Orchestrator": {"Threads": 1, "ContextSize": 512, "ProbeUnknownModels": false, "Models": {"Root": "store", "Endpoint": "http://127.0.0.1:9", "Retries": 0}}}""");
    }

    private string Model => Path.Combine(_root, "tiny.gguf");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_table_for_each_kind_is_shown_and_the_choice_is_kept_where_show_and_doctor_find_it()
    {
        Assert.Contains("not measured", (await RunAsync("model", "show", "tiny.gguf")).Output, StringComparison.Ordinal);

        var (exit, output, _) = await RunAsync("model", "measure", "tiny.gguf", "--cases", "cases.jsonl");

        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("options with descriptions: 2 cases, chance 50 %", output, StringComparison.Ordinal);
        Assert.Contains("names only: 1 case, chance 33 %", output, StringComparison.Ordinal);
        Assert.All(
            ["default ←", "direct", "calibrated", "labels", "channel", "calibrated channel", "combined"],
            method => Assert.Equal(2, Regex.Count(output, $"│ {method} +│")));
        Assert.Contains("10 cases at least", output, StringComparison.Ordinal);
        Assert.Contains($"Kept in {DecisionProfileFile.PathOf(Model)}", output, StringComparison.Ordinal);

        const string Chosen = "options with descriptions: the default";
        Assert.Contains(Chosen, (await RunAsync("model", "show", "tiny.gguf")).Output, StringComparison.Ordinal);
        var card = JsonDocument.Parse((await RunAsync("model", "show", "tiny.gguf", "--json")).Output).RootElement;
        Assert.Equal("auto", card.GetProperty("decisions").GetProperty("described").GetProperty("method").GetString());
        Assert.Contains(Chosen, await DoctorAsync("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_lines_hold_every_figure_and_a_dry_run_keeps_nothing()
    {
        var (exit, output, _) = await RunAsync("model", "measure", "tiny.gguf", "--cases", "cases.jsonl", "--dry-run", "--json");

        Assert.Equal(ExitCodes.Ok, exit);
        var lines = output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            [.. Enumerable.Repeat("method", 7), "choice", .. Enumerable.Repeat("method", 7), "choice", "profile"],
            lines.Select(line => line.GetProperty("kind").GetString()));
        Assert.Equal(
            ["kind", "options", "method", "cases", "right", "accuracy", "standardError", "chance", "tokens", "seconds"],
            lines[0].EnumerateObject().Select(property => property.Name));
        Assert.Equal(
            ["auto", "direct", "calibrated", "labels", "channel", "calibratedChannel", "combined"],
            lines[..7].Select(line => line.GetProperty("method").GetString()));
        Assert.Equal(("described", 2), (lines[7].GetProperty("options").GetString(), lines[7].GetProperty("cases").GetInt32()));
        Assert.Equal(("namesOnly", 1), (lines[15].GetProperty("options").GetString(), lines[15].GetProperty("cases").GetInt32()));
        Assert.False(lines[^1].TryGetProperty("keptAt", out _));
        Assert.False(File.Exists(DecisionProfileFile.PathOf(Model)));
    }

    [Fact]
    public async Task A_profile_that_cannot_be_used_is_pointed_out_wherever_the_model_is_used()
    {
        var path = DecisionProfileFile.PathOf(Model);
        await File.WriteAllTextAsync(path, "{");

        Assert.Contains($"{path} is not used", (await RunAsync("model", "show", "tiny.gguf", "--json")).Output, StringComparison.Ordinal);
        Assert.Contains("orchestrator model measure", await DoctorAsync("fix"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(_root, "text.txt"), "the team");
        var (exit, output, error) = await RunAsync("model", "score", "text.txt", "--model", "tiny.gguf");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
        Assert.Contains($"warning: {path} is not used", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\": \"a\", \"right\": \"b\"}", ExitCodes.Configuration, "mine.jsonl:1: options:")]
    [InlineData(null, ExitCodes.Usage, "mine.jsonl can't be read")]
    public async Task Cases_that_cannot_be_used_are_a_clear_error(string? content, int expected, string cause)
    {
        if (content is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(_root, "mine.jsonl"), content);
        }

        var (exit, _, error) = await RunAsync("model", "measure", "tiny.gguf", "--cases", "mine.jsonl");

        Assert.Equal(expected, exit);
        Assert.Contains(cause, error, StringComparison.Ordinal);
        Assert.Contains("try: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_to_is_told_before_anything_is_measured()
    {
        Directory.CreateDirectory(DecisionProfileFile.PathOf(Model) + ".part");

        var (exit, output, error) = await RunAsync("model", "measure", "tiny.gguf", "--cases", "cases.jsonl");

        Assert.Equal(ExitCodes.Model, exit);
        Assert.DoesNotContain("measuring", output, StringComparison.Ordinal);
        Assert.Contains("--dry-run", error, StringComparison.Ordinal);
    }

    private async Task<string> DoctorAsync(string property)
    {
        var (_, output, _) = await RunAsync("doctor", "--model", "tiny.gguf", "--json");
        return output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)
            .Single(line => line.GetProperty("check").GetString() == "decisions").GetProperty(property).GetString()!;
    }

    private async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await OrchestratorCommand.Create().Parse([.. arguments, "--no-color", "--root", _root])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (exit, output.ToString(), error.ToString());
    }
}
