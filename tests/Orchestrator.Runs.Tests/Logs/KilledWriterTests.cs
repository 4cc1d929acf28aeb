using System.Diagnostics;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs.Tests.Logs;

public sealed class KilledWriterTests
{
    /// <summary>The writer acknowledges each event that was to persist; none of them may be missing after the kill.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(150)]
    public async Task A_process_killed_while_writing_leaves_all_that_it_acknowledged(int acknowledgements)
    {
        using var folder = new TempFolder();
        var writer = Path.Combine(AppContext.BaseDirectory, "Orchestrator.Runs.Tests.Writer.dll");
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && host.EndsWith("dotnet", StringComparison.Ordinal) ? host : "dotnet")
        {
            ArgumentList = { writer, folder.Path },
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var last = -1L;
        for (var i = 0; i < acknowledgements; i++)
        {
            last = long.Parse((await process.StandardOutput.ReadLineAsync())!, System.Globalization.CultureInfo.InvariantCulture);
        }

        process.Kill(); // SIGKILL, or TerminateProcess: nothing of the writer runs any more.
        await process.WaitForExitAsync();

        var log = await RunLogReader.ReadAsync(folder.File("events.jsonl"));
        Assert.True(log.Events.Count > last, $"Event {last} was acknowledged; {log.Events.Count} events are left.");
        Assert.Equal(Enumerable.Range(0, log.Events.Count).Select(i => (long)i), log.Events.Select(e => e.Sequence));
        Assert.IsType<RunStarted>(log.Events[0]);
    }
}
