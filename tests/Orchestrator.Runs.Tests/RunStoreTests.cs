using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Core;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs.Tests;

public sealed class RunStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));
    private readonly RunStore _store;
    private uint _random = 0xAB_000000;

    public RunStoreTests() => _store = new RunStore(
        new RunsOptions { Root = _folder.File("runs") }, _clock, new RunIdSource(_clock, () => (_random += 0x80_0001) / 2));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ids_sort_by_time_and_two_at_one_time_differ()
    {
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            await using var journal = _store.Create();
            ids.Add(journal.RunId);
            _clock.Advance(TimeSpan.FromMilliseconds(i / 2));
        }

        Assert.Equal("20260131-120000-000-c00000", ids[0]);
        Assert.Equal(4, ids.Distinct().Count());
        Assert.True(string.CompareOrdinal(ids[0], ids[3]) < 0);
    }

    [Fact]
    public async Task A_list_shows_what_ran_what_runs_and_what_was_cut_off_newest_first()
    {
        await RunAsync(SampleEvents.All);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await RunAsync(SampleEvents.All.Take(9));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await using var active = _store.Create();
        await active.AppendAsync(SampleEvents.All[0]);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var damaged = await RunAsync(SampleEvents.All);
        await File.WriteAllTextAsync(Path.Combine(_store.Root, damaged, "events.jsonl"), "x\ny\n");

        var runs = await _store.ListAsync().ToListAsync();
        Assert.Equal([RunState.Unreadable, RunState.Active, RunState.Interrupted, RunState.Finished], runs.Select(r => r.State));
        Assert.Equal("completed", runs[3].Reason);
        Assert.Equal((1, 1), (runs[2].Usage!.ModelCalls, runs[2].Usage!.ToolCalls));
        Assert.Equal("incident", runs[1].Team);
    }

    [Fact]
    public async Task A_run_is_found_by_a_part_of_its_id_that_is_its_own()
    {
        var first = await RunAsync(SampleEvents.All);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var second = await RunAsync(SampleEvents.All);
        Assert.Equal(first, _store.Resolve(first[..19]));
        Assert.Equal(second, (await _store.SummariseAsync(second[15..])).RunId);
        Assert.Throws<OrchestratorException>(() => _store.Resolve("2026"));
        Assert.Throws<OrchestratorException>(() => _store.Resolve(".."));
    }

    [Fact]
    public async Task Delete_takes_the_whole_folder_and_refuses_a_run_that_goes_on()
    {
        var id = await RunAsync(SampleEvents.All);
        Directory.CreateDirectory(_store.GetOutputFolder(id));
        await File.WriteAllTextAsync(Path.Combine(_store.GetOutputFolder(id), "report.md"), "x");
        Assert.Equal(id, _store.Delete(id));
        Assert.False(Directory.Exists(Path.Combine(_store.Root, id)));

        await using var active = _store.Create();
        var error = Assert.Throws<OrchestratorException>(() => _store.Delete(active.RunId));
        Assert.Contains("still going on", error.Message, StringComparison.Ordinal);
        await active.AppendAsync(SampleEvents.All[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("runs")]
    public void A_root_that_is_not_absolute_is_refused(string root)
    {
        var provider = new ServiceCollection().AddOrchestratorRuns(o => o.Root = root).BuildServiceProvider();
        Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<RunStore>());
    }

    private async Task<string> RunAsync(IEnumerable<RunEvent> events)
    {
        await using var journal = _store.Create();
        foreach (var runEvent in events)
        {
            await journal.AppendAsync(runEvent);
        }

        return journal.RunId;
    }
}
