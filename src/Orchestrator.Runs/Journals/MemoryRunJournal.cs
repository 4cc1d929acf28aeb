using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Journals;

/// <summary>A run's record in memory, for tests and for hosts that keep none.</summary>
public sealed class MemoryRunJournal : IRunJournal
{
    private readonly Lock _lock = new();
    private readonly List<RunEvent> _events = [];
    private readonly TimeProvider _clock;

    /// <summary>Creates an empty record.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="clock">Tells the time of events.</param>
    public MemoryRunJournal(string runId, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(runId);
        ArgumentNullException.ThrowIfNull(clock);
        RunId = runId;
        _clock = clock;
    }

    /// <inheritdoc/>
    public string RunId { get; }

    /// <summary>The events so far, in order.</summary>
    public IReadOnlyList<RunEvent> Events
    {
        get
        {
            lock (_lock)
            {
                return [.. _events];
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runEvent);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var recorded = runEvent with { Sequence = _events.Count, Time = _clock.GetUtcNow() };
            _events.Add(recorded);
            return ValueTask.FromResult(recorded);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
