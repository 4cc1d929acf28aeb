using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Journals;

/// <summary>Hands each event on to an observer once it is recorded, in the order of the record.</summary>
public sealed class ObservedRunJournal : IRunJournal
{
    private readonly IRunJournal _inner;
    private readonly IRunObserver _observer;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, RunEvent> _early = [];
    private long _next;

    /// <summary>Wraps a journal that nothing was appended to yet.</summary>
    /// <param name="inner">The journal; disposed with this one.</param>
    /// <param name="observer">Told of each event, never of two at once. What it throws ends the append.</param>
    public ObservedRunJournal(IRunJournal inner, IRunObserver observer)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(observer);
        _inner = inner;
        _observer = observer;
    }

    /// <inheritdoc/>
    public string RunId => _inner.RunId;

    /// <inheritdoc/>
    public async ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default)
    {
        // A wait that is given up does not take the event back, so the wait is not given up: the observer would miss it.
        cancellationToken.ThrowIfCancellationRequested();
        var recorded = await _inner.AppendAsync(runEvent, CancellationToken.None).ConfigureAwait(false);
        lock (_lock)
        {
            // Appends that end at once may come back in another order than they were recorded in.
            _early.Add(recorded.Sequence, recorded);
            while (_early.Remove(_next, out var due))
            {
                _next++;
                _observer.OnEvent(due);
            }
        }

        return recorded;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}

/// <summary>Sees a run as it happens.</summary>
public interface IRunObserver
{
    /// <summary>Called for each event once it is recorded, in order and never twice at once. It should not block.</summary>
    /// <param name="runEvent">The event as recorded, secrets taken out.</param>
    void OnEvent(RunEvent runEvent);
}
