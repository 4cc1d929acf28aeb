using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>
/// What a person gets wrong ends with one error that says what, where and what to do, and with the exit code of
/// docs/exit-codes.md.
/// </summary>
public sealed class BadInputTests : IDisposable
{
    private const string Member = "members: [{name: ada, role: r, description: d}]";

    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-bad-").FullName;

    public BadInputTests()
    {
        var model = File.ReadAllBytes(TinyModel.SharedPath);
        File.WriteAllBytes(Path.Combine(_folder, "good.gguf"), model);
        File.WriteAllBytes(Path.Combine(_folder, "short.gguf"), model[..^500]);
        Write("notes.gguf", "Just notes.");
        Write("teams/key.yaml", $"description: d\nmembrs: []\n{Member}");
        Write("teams/cycle.yaml", $"description: d\n{Member}\nplanner:\n  kind: fixed\n  tasks:\n    - {{id: a, description: x, needs: [b]}}\n    - {{id: b, description: y, needs: [a]}}");
        Write("teams/variable.yaml", "description: d\nmembers: [{name: ada, role: r, description: d, prompt: greeting}]");
        Write("teams/preamble.yaml", $"description: d\n{Member}\nprompts: {{preamble: greeting}}");
        Write("typed/appsettings.json", """{"Orchestrator":{"ContextSize":"many"}}""");
        Write("broken/appsettings.json", "{\n  \"Orchestrator\": {\n");
        Write("list/appsettings.json", "[]");
        Write("ranged/appsettings.json", """{"Orchestrator":{"Coordination":{"MaxParallelTasks":0}}}""");
        Write("prompts/greeting.yaml", "name: greeting\ndescription: d\ntemplate: \"Hello {{$nobody}}\"");
        foreach (var tool in new[] { "throw", "hang" })
        {
            Write($"teams/{tool}.yaml", $"description: d\n{Member}\nplanner: {{kind: fixed, tasks: [{{id: a, description: x}}]}}\nprotocol: {{max_rounds: 0, decision: {{question: Which?, options_from: sample-{tool}}}}}\nbudget: {{max_tokens_per_turn: 4}}");
        }

        foreach (var input in new[] { "grumpy", "shelf" })
        {
            Write($"teams/{input}.yaml", $"description: d\nmembers: [{{name: ada, role: r, description: d, plugins: [sample]}}]\ninputs: {{{input}: nowhere}}");
        }

        Write("teams/whiny.yaml", "description: d\nmembers: [{name: ada, role: r, description: d, plugins: [sample]}]\nplanner: {kind: fixed, tasks: [{id: a, description: x}]}\ninputs: {whiny: \"yes\"}");
        Write("plugins/sample/plugin.yaml", "name: sample\ndescription: d\nkind: assembly\nassembly: SamplePlugin.dll\nside_effects: none\ndeadline: 1s");
        foreach (var file in Directory.EnumerateFiles(OrchestratorProcess.AssetFolder("SamplePlugin")))
        {
            File.Copy(file, Path.Combine(_folder, "plugins", "sample", Path.GetFileName(file)));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("run pair Hello --model missing.gguf", 3, "missing.gguf: there is no such file.", "Name a GGUF file")]
    [InlineData("run pair Hello --model short.gguf", 3, "short.gguf: tensor", "Fetch it again")]
    [InlineData("chat Hello --model short.gguf", 3, "it is truncated", "Fetch it again")]
    [InlineData("chat Hello --model notes.gguf", 3, "notes.gguf: offset 0: not a GGUF file", "Fetch it again")]
    [InlineData("run teams/key.yaml Hello --model good.gguf", 2, "key.yaml:2:1: membrs: unknown key 'membrs'", "Correct the file")]
    [InlineData("run teams/cycle.yaml Hello --model good.gguf", 2, "planner.tasks[0].needs: the tasks wait for each other: a → b → a", "Correct the file")]
    [InlineData("run teams/variable.yaml Hello --model good.gguf", 2, "template: the template uses 'nobody', which is not among its input variables", "Correct the file")]
    [InlineData("run teams/preamble.yaml Hello --model good.gguf", 2, "greeting.yaml:3:", "Correct the file")]
    [InlineData("chat Hello --model ../good.gguf --root typed", 2, "'many' at 'Orchestrator:ContextSize'", "orchestrator config show")]
    [InlineData("run pair Hello --model good.gguf --output notes.gguf/result", 1, "The output folder '", "--output")]
    [InlineData("config show --root broken", 2, "LineNumber: 2", "Correct the file")]
    [InlineData("config show --root list", 2, "Top-level JSON element must be an object", "Correct the file")]
    [InlineData("run nobody Hello --model good.gguf", 2, "There is no team 'nobody'", "Put nobody.yaml into /")]
    [InlineData("doctor --root typed", 2, "'many' at 'Orchestrator:ContextSize'", "orchestrator config show")]
    [InlineData("run pair Hello --model ../good.gguf --root ranged", 2, "Orchestrator:Coordination:MaxParallelTasks: The field MaxParallelTasks must be between 1 and 64.", "orchestrator config show")]
    [InlineData("team validate teams/shelf.yaml", 2, "shelf.yaml: The plugin 'sample' can't be used: The input 'shelf' names the folder", "--input shelf=FOLDER")]
    public async Task A_mistake_is_one_error_and_leaves_no_run(string line, int code, string cause, string remedy)
    {
        await FailsAsync(line, code, cause, remedy);
        Assert.False(Directory.Exists(Path.Combine(_folder, "runs")));
    }

    [Theory]
    [InlineData("run teams/grumpy.yaml Hello --model good.gguf", 2, "the constructor of SamplePlugin.Grumpy failed: not today", "take it out of the team")]
    [InlineData("run teams/throw.yaml Hello --model good.gguf", 4, "from 'sample-throw': InvalidOperationException: the plugin is cross", "Mend the plugin")]
    [InlineData("run teams/hang.yaml Hello --model good.gguf", 4, "'sample-hang' did not return within 1 s and was abandoned.", "Mend the plugin")]
    [InlineData("run teams/hang.yaml Hello --model good.gguf --json", 4, "'sample-hang' did not return within 1 s and was abandoned.", "Mend the plugin")]
    public async Task A_plugin_that_fails_is_one_error_of_a_run_that_is_kept(string line, int code, string cause, string remedy)
    {
        await FailsAsync(line, code, cause, remedy);

        var run = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(_folder, "runs"))));
        var (exit, shown) = await OrchestratorProcess.RunAsync($"orchestrator runs show {run}", _folder);
        Assert.Equal(0, exit);
        Assert.Contains(cause, shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run teams/whiny.yaml Hello --plan-only --model good.gguf", "trouble: ")]
    [InlineData("team validate teams/whiny.yaml", "warn: Orchestrator.Plugins: ")]
    public async Task A_plugin_that_does_not_close_is_told_of_and_changes_no_exit_code(string line, string label)
    {
        var (exit, output) = await OrchestratorProcess.RunAsync($"orchestrator {line}", _folder);

        Assert.True(exit == 0, output);
        Assert.Equal(
            $"{label}The plugin 'sample' failed to close: InvalidOperationException: not yet",
            Assert.Single(output.Split('\n'), text => text.Contains("'sample'", StringComparison.Ordinal)));
    }

    private async Task FailsAsync(string line, int code, string cause, string remedy)
    {
        var (exit, output) = await OrchestratorProcess.RunAsync($"orchestrator {line}", _folder);

        Assert.True(exit == code, $"`{line}` ended with {exit}, not {code}:\n{output}");
        var lines = output.Split('\n');
        Assert.Contains(cause, Assert.Single(lines, text => text.StartsWith("error: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(remedy, Assert.Single(lines, text => text.StartsWith("  try: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
