using System.CommandLine;
using System.Text.Json;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Runs;
using Orchestrator.Console.Hosting;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Runs;

namespace Orchestrator.Console.Tests.Commands;

public sealed class RunsCommandsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-").FullName;
    private readonly RunStore _store;

    public RunsCommandsTests() =>
        _store = new RunStore(new RunsOptions { Root = Path.Combine(_root, "runs") }, TimeProvider.System);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task No_run_says_how_to_begin()
    {
        var (exit, output, _) = await RunAsync("list");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("There is no run", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_listed_shown_and_deleted()
    {
        var id = await RecordAsync(finish: true);
        Assert.Contains(id[^6..], (await RunAsync("list")).Output, StringComparison.Ordinal);
        var listed = JsonDocument.Parse((await RunAsync("list", "--json")).Output).RootElement;
        Assert.Equal((id, "finished", "completed"), (Text(listed, "runId"), Text(listed, "state"), Text(listed, "reason")));

        var (exit, shown, _) = await RunAsync("show", id[^6..]);
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("Find the cause", shown, StringComparison.Ordinal);
        Assert.Contains("It is the database.", shown, StringComparison.Ordinal);
        var events = (await RunAsync("show", id, "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(await File.ReadAllLinesAsync(Path.Combine(_store.GetFolder(id), "events.jsonl")), events);

        Assert.Equal(ExitCodes.Ok, (await RunAsync("delete", id)).Exit);
        Assert.False(Directory.Exists(Path.Combine(_store.Root, id)));
        Assert.Equal(ExitCodes.Usage, (await RunAsync("show", id)).Exit);
    }

    [Fact]
    public async Task A_run_that_was_cut_off_says_so()
    {
        var id = await RecordAsync(finish: false);
        await File.AppendAllTextAsync(Path.Combine(_store.GetFolder(id), "events.jsonl"), "{\"type\":\"round");
        Assert.Contains(
            "interrupted; its log holds 3 complete events, and the beginning of one more",
            (await RunAsync("show", id)).Output.ReplaceLineEndings(" "),
            StringComparison.Ordinal);
        Assert.Contains("interrupted", (await RunAsync("list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_failed_says_why()
    {
        var id = await RecordAsync(finish: false, new RunFailed("The disk is wet.", Fatal: true), Finished("failed", "The disk is wet."));
        Assert.Contains("failed The disk is wet.", (await RunAsync("show", id)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_name_among_many_deletes_nothing()
    {
        var id = await RecordAsync(finish: true);
        var (exit, _, error) = await RunAsync("delete", id, "nothing");
        Assert.Equal(ExitCodes.Usage, exit);
        Assert.Contains("There is no run 'nothing'", error.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.True(Directory.Exists(_store.GetFolder(id)));
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static RunFinished Finished(string reason, string summary) => new(reason, summary, new RunUsage(1, 0, 0, 1, 0, 1, TimeSpan.FromSeconds(1)));

    private async Task<string> RecordAsync(bool finish, params IEnumerable<RunEvent> more)
    {
        await using var journal = _store.Create();
        await journal.AppendAsync(new RunStarted(1, journal.RunId, "incident", "Find the cause", 7, "tiny", ["ann"]));
        await journal.AppendAsync(new PlanMade(new Plan("g", [new PlanTask("t1", "look", [])]), []));
        await journal.AppendAsync(new MessagePosted(new TeamMessage("ann", "It is the database.")));
        foreach (var runEvent in finish ? more.Append(Finished("completed", "db")) : more)
        {
            await journal.AppendAsync(runEvent);
        }

        return journal.RunId;
    }

    private async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var root = new RootCommand { GlobalOptions.Json, GlobalOptions.NoColor, GlobalOptions.Verbose, GlobalOptions.Root, RunsCommands.Create() };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await root.Parse(["runs", .. arguments, "--no-color", "--root", _root])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (exit, output.ToString(), error.ToString());
    }
}
