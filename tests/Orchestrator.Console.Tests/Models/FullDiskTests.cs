using Orchestrator.Console.Tests.Guides;
using Orchestrator.Inference.Tests.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Models;

/// <summary>A disk that fills up ends with one error that says so, and what was written before reads back.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    // The signal that comes with a file's largest size is ignored, so that the write fails as on a full disk. The runtime
    // maps its code from a file that is larger than that, unless told not to.
    private const string Limit = "sh -c 'trap \"\" XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 8;";
    private const string Disk = "unshare -rm sh -c 'mkdir store runs; mount -t tmpfs -o size=64k tmpfs store; mount -t tmpfs -o size=4k tmpfs runs;";

    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-full-").FullName;
    private readonly byte[] _model = File.ReadAllBytes(TinyModel.SharedPath);

    // It doesn't say how long the file is, so that nothing can be known before the disk is full.
    private HubServer Hub { get; set; } = null!;

    public Task InitializeAsync()
    {
        Hub = new HubServer(request => HubReply.File(request, _model) with { NoLength = true });
        return File.WriteAllTextAsync(Path.Combine(_folder, "appsettings.json"), $$"""
            {"Orchestrator": {"Models": {"Root": "store", "Endpoint": "{{Hub.Address}}"} } }
            """);
    }

    public async Task DisposeAsync()
    {
        await Hub.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableTheory]
    [InlineData(Limit)]
    [InlineData(Disk)]
    public async Task A_pull_says_that_the_disk_is_full(string full) =>
        await FailsAsync(full, "exec \"$@\"", "model pull acme/tiny-GGUF/tiny.gguf", 3, "The disk is full: ", "Free some space and pull again");

    [SkippableTheory]
    [InlineData(Limit)]
    [InlineData(Disk)]
    public async Task A_run_says_that_its_log_cannot_be_written_and_what_was_reads_back(string full)
    {
        var output = await FailsAsync(
            full,
            $"\"$@\"; code=$?; echo; echo shown; dotnet \"{OrchestratorProcess.Program}\" runs show $(ls runs); exit $code",
            $"run pair Hello --model \"{TinyModel.SharedPath}\"",
            4,
            "The run's log ",
            "Free some disk space");

        var shown = output.Split("\nshown\n")[1];
        Assert.Contains("task: Hello", shown, StringComparison.Ordinal);
        Assert.Contains("The run was interrupted; its log holds", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("the beginning of one more", shown, StringComparison.Ordinal);
    }

    private async Task<string> FailsAsync(string full, string script, string command, int code, string cause, string remedy)
    {
        Skip.If(OperatingSystem.IsWindows(), "A Unix shell limits files.");
        Skip.If(full == Disk && !await CanMountAsync(), "A small disk can't be mounted here.");

        var (exit, output) = await OrchestratorProcess.RunAsync($"{full} {script}' sh dotnet \"{OrchestratorProcess.Program}\" {command}", _folder);

        Assert.True(exit == code, $"`{command}` ended with {exit}, not {code}:\n{output}");
        var lines = output.Split('\n');
        Assert.Contains(cause, Assert.Single(lines, text => text.StartsWith("error: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(remedy, Assert.Single(lines, text => text.StartsWith("  try: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        return output;
    }

    private async Task<bool> CanMountAsync() =>
        (await OrchestratorProcess.RunAsync("sh -c 'unshare -rm mount -t tmpfs tmpfs .'", _folder)).ExitCode == 0;
}
