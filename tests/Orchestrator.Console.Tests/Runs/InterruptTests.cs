using System.Diagnostics;
using Orchestrator.Console.Tests.Guides;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Runs;

/// <summary>A run that is stopped while a tool of it is under way, and a benchmark that is stopped.</summary>
public sealed class InterruptTests : IDisposable
{
    // A shell's background jobs ignore Ctrl-C, and what they start inherits that.
    private static readonly string Orchestrator = OperatingSystem.IsLinux()
        ? $"env --default-signal=INT dotnet \"{OrchestratorProcess.Program}\""
        : "orchestrator";

    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-stop-").FullName;

    public InterruptTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "teams"));
        var plugin = Directory.CreateDirectory(Path.Combine(_folder, "plugins", "sample")).FullName;
        foreach (var file in Directory.EnumerateFiles(OrchestratorProcess.AssetFolder("SamplePlugin")))
        {
            File.Copy(file, Path.Combine(plugin, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(plugin, "plugin.yaml"), "name: sample\ndescription: d\nkind: assembly\nassembly: SamplePlugin.dll\nside_effects: none\ndeadline: 1h");
        File.WriteAllText(Path.Combine(_folder, "teams", "stuck.yaml"), """
            description: d
            members: [{name: ada, role: r, description: d}]
            planner: {kind: fixed, tasks: [{id: a, description: x}]}
            protocol: {max_rounds: 0, decision: {question: Which?, options_from: sample-hang}}
            budget: {max_tokens_per_turn: 4}
            """);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task The_first_Ctrl_C_ends_the_run_in_its_log()
    {
        Skip.If(OperatingSystem.IsWindows(), "Signals are sent by kill.");
        using var process = await RunUntilStuckAsync();
        await InterruptAsync(process);
        var rest = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(130, process.ExitCode);
        Assert.Contains("\"reason\":\"cancelled\"", rest.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Contains("cancelled The run was cancelled.", await ShowAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Ctrl_C_ends_a_benchmark_with_one_line()
    {
        Skip.If(OperatingSystem.IsWindows(), "Signals are sent by kill.");
        using var process = OrchestratorProcess.Start($"{Orchestrator} bench --model \"{TinyModel.SharedPath}\"", _folder);
        await ReadUntilAsync(process, "(writing one answer)");
        await InterruptAsync(process);
        await process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal((130, "error: Interrupted.\n"), (process.ExitCode, error));
    }

    [Fact]
    public async Task A_killed_run_reads_back_as_interrupted()
    {
        using var process = await RunUntilStuckAsync();
        process.Kill();
        await process.WaitForExitAsync();

        var shown = await ShowAsync();
        Assert.Contains("sample-hang()", shown, StringComparison.Ordinal);
        Assert.Contains("The run was interrupted; its log holds", shown, StringComparison.Ordinal);
    }

    private async Task<Process> RunUntilStuckAsync()
    {
        var process = OrchestratorProcess.Start($"{Orchestrator} run stuck Hello --json --model \"{TinyModel.SharedPath}\"", _folder);
        await ReadUntilAsync(process, "\"type\":\"tool.called\"");
        return process;
    }

    private static async Task ReadUntilAsync(Process process, string text)
    {
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"{text} never came:\n{string.Join('\n', lines)}\n{await process.StandardError.ReadToEndAsync()}");
    }

    private static async Task InterruptAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    private async Task<string> ShowAsync()
    {
        var run = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(_folder, "runs"))));
        var (exit, shown) = await OrchestratorProcess.RunAsync($"orchestrator runs show {run}", _folder);
        Assert.True(exit == 0, shown);
        return shown;
    }
}
