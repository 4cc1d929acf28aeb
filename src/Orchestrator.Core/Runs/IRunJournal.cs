namespace Orchestrator.Core.Runs;

/// <summary>
/// The record of one run. Everything that happens in the run goes through it, in one order; it may be written to by
/// several agents at once.
/// </summary>
public interface IRunJournal : IAsyncDisposable
{
    /// <summary>The run.</summary>
    string RunId { get; }

    /// <summary>
    /// Records an event. When this returns, an event that must persist is on disk, and so is everything before it.
    /// </summary>
    /// <param name="runEvent">The event; its number and time are given here.</param>
    /// <param name="cancellationToken">Stops the wait; an event that was begun is still written.</param>
    /// <returns>The event as recorded.</returns>
    /// <exception cref="OrchestratorException">
    /// The log cannot be written (a full disk, for one). It reads back up to its last complete event, and the run must
    /// end.
    /// </exception>
    ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default);
}
