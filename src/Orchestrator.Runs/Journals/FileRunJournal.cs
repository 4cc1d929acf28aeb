using Orchestrator.Core;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs.Journals;

/// <summary>
/// A run's record in a file of JSON lines, <c>runs/ID/events.jsonl</c>. Each event is handed to the operating system
/// as it happens, so a killed process loses none; those that must persist are on disk when the append returns, many
/// appenders sharing one flush (group commit: DeWitt et al., SIGMOD 1984).
/// </summary>
public sealed class FileRunJournal : IRunJournal
{
    private readonly Lock _writing = new();
    private readonly SemaphoreSlim _flushing = new(1);
    private readonly ILogFile _file;
    private readonly IDisposable? _claim;
    private readonly TimeProvider _clock;
    private readonly RunLogLines _lines;
    private readonly string _path;
    private long _sequence;
    private long _length;
    private long _flushed;
    private OrchestratorException? _failure;
    private bool _disposed;

    internal FileRunJournal(
        string runId, string path, ILogFile file, IDisposable? claim, TimeProvider clock, Func<string, string>? redact)
    {
        RunId = runId;
        _path = path;
        _file = file;
        _claim = claim;
        _clock = clock;
        _lines = new RunLogLines(redact);
    }

    /// <inheritdoc/>
    public string RunId { get; }

    /// <summary>The log's file.</summary>
    public string Path => _path;

    /// <summary>Begins the log of a new run.</summary>
    /// <param name="folder">The run's folder; made where it is missing.</param>
    /// <param name="runId">The run.</param>
    /// <param name="clock">Tells the time of events.</param>
    /// <param name="redact">Takes secrets out of a text before it is written; null leaves texts as they are.</param>
    /// <returns>The journal; no other writer can open this run until it is disposed.</returns>
    /// <exception cref="OrchestratorException">The run has a log already, or the file cannot be made.</exception>
    public static FileRunJournal Create(
        string folder, string runId, TimeProvider clock, Func<string, string>? redact = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(runId);
        ArgumentNullException.ThrowIfNull(clock);
        var path = System.IO.Path.Combine(folder, RunStore.LogName);
        RunClaim? claim = null;
        try
        {
            Directory.CreateDirectory(folder);
            claim = RunClaim.Take(folder);
            return new FileRunJournal(runId, path, new LogFile(path), claim, clock, redact);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            claim?.Dispose();
            throw Unwritable(path, e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runEvent);
        cancellationToken.ThrowIfCancellationRequested();
        var (recorded, end) = Write(runEvent);
        if (recorded.MustPersist)
        {
            await PersistAsync(end, cancellationToken).ConfigureAwait(false);
        }

        return recorded;
    }

    /// <summary>Puts everything on disk and lets other writers at the run.</summary>
    /// <returns>When done.</returns>
    public async ValueTask DisposeAsync()
    {
        await _flushing.WaitAsync().ConfigureAwait(false);
        try
        {
            lock (_writing)
            {
                if (_disposed)
                {
                    return;
                }

                _disposed = true;
            }

            if (_failure is null && _flushed < _length)
            {
                _file.Flush();
            }
        }
        catch (IOException e)
        {
            throw Unwritable(_path, e);
        }
        finally
        {
            _file.Dispose();
            _claim?.Dispose();
            _flushing.Release();
        }
    }

    private (RunEvent Recorded, long End) Write(RunEvent runEvent)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            ThrowIfFailed();
            var (line, recorded) = _lines.Write(runEvent with { Sequence = _sequence, Time = _clock.GetUtcNow() });
            try
            {
                _file.Write(line, _length);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Fail(e);
            }

            _sequence++;
            _length += line.Length;
            return (recorded, _length);
        }
    }

    private async Task PersistAsync(long end, CancellationToken cancellationToken)
    {
        await _flushing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_flushed >= end)
            {
                return; // The flush that this one waited for took its event along.
            }

            long upTo;
            lock (_writing)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                ThrowIfFailed();
                upTo = _length;
            }

            try
            {
                await Task.Run(_file.Flush, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                lock (_writing)
                {
                    Fail(e);
                }
            }

            _flushed = upTo;
        }
        finally
        {
            _flushing.Release();
        }
    }

    /// <summary>Once a write failed nothing is written any more: what follows a gap could not be read.</summary>
    private void Fail(Exception cause)
    {
        _failure ??= Unwritable(_path, cause);
        try
        {
            _file.Truncate(_length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The reader leaves out a torn last line anyway.
        }

        ThrowIfFailed();
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw new OrchestratorException(failure.Kind, failure.Message, failure.Remedy, failure.InnerException);
        }
    }

    private static OrchestratorException Unwritable(string path, Exception cause) => new(
        ErrorKind.Run,
        $"The run's log '{path}' cannot be written: {cause.Message}",
        "Free some disk space or choose another runs folder, then run again. The log reads back up to its last complete event.",
        cause);
}
