using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>What <c>team new</c> writes is a team.</summary>
public sealed class NewTeamTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-new-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_runs_at_once_with_short_prompts()
    {
        await RunAsync("team new mine");
        Assert.Contains("ok mine", await RunAsync("team validate mine"), StringComparison.Ordinal);

        var run = await RunAsync($"run mine Hello --json --model \"{TinyModel.SharedPath}\"");

        Assert.Contains("\"plain-preamble\":", run, StringComparison.Ordinal);
        Assert.Contains("\"plain-task\":", run, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"completed\"", run, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_other_template_is_valid()
    {
        await RunAsync("team new readers --template research");
        Assert.Contains("ok readers", await RunAsync("team validate readers"), StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string line)
    {
        var (exit, output) = await OrchestratorProcess.RunAsync($"orchestrator {line}", _folder);
        Assert.True(exit == 0, $"`{line}` ended with {exit}:\n{output}");
        return output;
    }
}
