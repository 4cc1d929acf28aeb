using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Logs;

/// <summary>A run's log as read back.</summary>
/// <param name="Events">The events of known kinds, in order.</param>
/// <param name="Unrecognised">Lines of the same format version whose kind this version does not know, as written.</param>
/// <param name="CompleteBytes">How many bytes of the file hold complete events.</param>
/// <param name="Torn">Whether the file goes on after that with an event that was not written whole.</param>
public sealed record RunLog(
    IReadOnlyList<RunEvent> Events, IReadOnlyList<string> Unrecognised, long CompleteBytes, bool Torn)
{
    /// <summary>The first event, or null for a run that was killed before it.</summary>
    public RunStarted? Started => Events.Count > 0 ? Events[0] as RunStarted : null;

    /// <summary>The last event, or null for a run that did not end by itself.</summary>
    public RunFinished? Finished => Events.Count > 0 ? Events[^1] as RunFinished : null;
}
