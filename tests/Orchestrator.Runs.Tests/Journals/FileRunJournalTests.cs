using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Core;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs.Tests.Journals;

public sealed class FileRunJournalTests
{
    private static readonly FakeTimeProvider Clock = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Events_of_each_kind_read_back_as_they_were_recorded()
    {
        using var folder = new TempFolder();
        var recorded = new List<RunEvent>();
        await using (var journal = FileRunJournal.Create(folder.Path, "r1", Clock))
        {
            foreach (var runEvent in SampleEvents.All)
            {
                recorded.Add(await journal.AppendAsync(runEvent));
            }
        }

        var log = await RunLogReader.ReadAsync(folder.File("events.jsonl"));
        Assert.False(log.Torn);
        Assert.Equal(Enumerable.Range(0, SampleEvents.All.Count).Select(i => (long)i), log.Events.Select(e => e.Sequence));
        Assert.All(log.Events, e => Assert.Equal(Clock.GetUtcNow(), e.Time));
        Assert.Equal(recorded.Select(Line), log.Events.Select(Line));
        Assert.Equal(RunLogLines.Kinds.Count, log.Events.Select(e => e.GetType()).Distinct().Count());
    }

    [Fact]
    public async Task An_event_that_must_persist_is_flushed_with_all_before_it_and_others_are_not()
    {
        var file = new FakeLogFile();
        await using var journal = Journal(file);
        await journal.AppendAsync(new RoundStarted(1, 1));
        Assert.Equal(0, file.Flushes);
        await journal.AppendAsync(new TaskFinished(new("t1", "a", true, "")));
        Assert.Equal(1, file.Flushes);
        Assert.Equal(file.Length, file.FlushedLength);
    }

    [Fact]
    public async Task Concurrent_appenders_share_flushes_and_none_returns_before_its_event_is_on_disk()
    {
        using var gate = new ManualResetEventSlim();
        var file = new FakeLogFile { BeforeFlush = gate.Wait };
        await using var journal = Journal(file);
        var unflushed = new ConcurrentBag<long>();
        var appends = Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
        {
            var recorded = await journal.AppendAsync(new ToolReturned($"{i}", "x-y", "r", false, TimeSpan.Zero));
            if (RunLogReader.Parse(file.Flushed, "f").Events.Count <= recorded.Sequence)
            {
                unflushed.Add(recorded.Sequence);
            }
        })).ToArray();
        await WaitUntil(() => RunLogReader.Parse(file.Bytes, "f").Events.Count == 64);
        gate.Set();
        await Task.WhenAll(appends);
        Assert.Empty(unflushed);
        Assert.InRange(file.Flushes, 1, 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(500)]
    public async Task A_full_disk_is_one_clear_error_and_the_log_reads_back_up_to_the_last_complete_event(int room)
    {
        var file = new FakeLogFile { Room = room };
        await using var journal = Journal(file);
        OrchestratorException? first = null;
        var written = 0;
        foreach (var runEvent in SampleEvents.All)
        {
            try
            {
                await journal.AppendAsync(runEvent);
                Assert.Null(first);
                written++;
            }
            catch (OrchestratorException e)
            {
                first ??= e;
                Assert.Equal(first.Message, e.Message);
            }
        }

        Assert.Equal(ErrorKind.Run, first!.Kind);
        Assert.Contains("No space left", first.Message, StringComparison.Ordinal);
        Assert.NotNull(first.Remedy);
        var log = RunLogReader.Parse(file.Bytes, "f");
        Assert.False(log.Torn);
        Assert.Equal(written, log.Events.Count);
    }

    [SkippableFact]
    public async Task A_device_without_space_is_one_clear_error()
    {
        Skip.IfNot(File.Exists("/dev/full"), "There is no /dev/full here.");
        using var device = new FullDevice();
        await using var journal = new FileRunJournal("r1", "/dev/full", device, null, Clock, null);
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => journal.AppendAsync(SampleEvents.All[0]).AsTask());
        Assert.Equal(ErrorKind.Run, error.Kind);
    }

    [Fact]
    public async Task A_failed_flush_ends_the_journal()
    {
        var file = new FakeLogFile { BeforeFlush = () => throw new IOException("I/O error") };
        await using var journal = Journal(file);
        await Assert.ThrowsAsync<OrchestratorException>(() => journal.AppendAsync(SampleEvents.All[0]).AsTask());
        await Assert.ThrowsAsync<OrchestratorException>(() => journal.AppendAsync(new RoundStarted(1, 1)).AsTask());
    }

    [Fact]
    public async Task A_run_has_one_writer_and_is_never_written_over()
    {
        using var folder = new TempFolder();
        await using (FileRunJournal.Create(folder.Path, "r1", Clock))
        {
            Assert.Throws<OrchestratorException>(() => FileRunJournal.Create(folder.Path, "r1", Clock));
        }

        Assert.Throws<OrchestratorException>(() => FileRunJournal.Create(folder.Path, "r1", Clock));
    }

    [Fact]
    public async Task Secrets_are_taken_out_of_texts_arguments_and_names_before_json_escapes_them()
    {
        const string Secret = "p\"ä\\s+s";
        var file = new FakeLogFile();
        await using var journal = new FileRunJournal(
            "r1", "f", file, null, Clock, text => text.Replace(Secret, "***", StringComparison.Ordinal));
        var arguments = System.Text.Json.JsonSerializer.SerializeToElement(
            new Dictionary<string, object> { [Secret] = new[] { "x " + Secret }, ["n"] = 1 });
        var recorded = (ToolCalled)await journal.AppendAsync(new ToolCalled("c", "shell-run", arguments));
        await journal.AppendAsync(new RunFailed("got " + Secret, false));
        Assert.DoesNotContain(Secret, recorded.Arguments.ToString(), StringComparison.Ordinal);
        var log = RunLogReader.Parse(file.Bytes, "f");
        Assert.Equal("""{"***":["x ***"],"n":1}""", ((ToolCalled)log.Events[0]).Arguments.GetRawText());
        Assert.Equal("got ***", ((RunFailed)log.Events[1]).Message);
        Assert.DoesNotContain("s+s", System.Text.Encoding.UTF8.GetString(file.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_observer_sees_the_events_of_concurrent_appenders_in_order()
    {
        var observer = new Collector();
        await using var journal = new ObservedRunJournal(Journal(new FakeLogFile()), observer);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => journal.AppendAsync(
            i % 2 == 0 ? new RoundStarted(i, 1) : new TaskFinished(new("t", "a", true, ""))).AsTask())));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), observer.Seen);
    }

    private static FileRunJournal Journal(FakeLogFile file) => new("r1", "f", file, null, Clock, null);

    private static string Line(RunEvent e) => System.Text.Encoding.UTF8.GetString(new RunLogLines().Write(e).Line);

    private static async Task WaitUntil(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Yield();
        }
    }

    private sealed class Collector : IRunObserver
    {
        internal List<long> Seen { get; } = [];

        public void OnEvent(RunEvent runEvent) => Seen.Add(runEvent.Sequence);
    }

    private sealed class FullDevice : ILogFile
    {
        private readonly FileStream _stream = new("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => _stream.Write(bytes);

        public void Flush() => _stream.Flush();

        public void Truncate(long length)
        {
        }

        public void Dispose() => _stream.Dispose();
    }
}
