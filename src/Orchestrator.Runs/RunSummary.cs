using Orchestrator.Core.Runs;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs;

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>A process is writing its log.</summary>
    Active,

    /// <summary>It ended by itself; the reason says how.</summary>
    Finished,

    /// <summary>Its process ended before it did.</summary>
    Interrupted,

    /// <summary>Its log cannot be read.</summary>
    Unreadable,
}

/// <summary>A run in a line.</summary>
/// <param name="RunId">The run.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Team">The team's name, or null where the log does not say.</param>
/// <param name="Task">What the team was asked to do.</param>
/// <param name="Started">When it began.</param>
/// <param name="Reason">Why it ended: <c>completed</c>, <c>failed</c>, <c>budget</c>, <c>stalled</c> or <c>cancelled</c>.</param>
/// <param name="Summary">The result in a few lines, or why the log cannot be read.</param>
/// <param name="Usage">What it used, so far where it did not end.</param>
/// <param name="Events">How many complete events its log holds.</param>
public sealed record RunSummary(
    string RunId,
    RunState State,
    string? Team,
    string? Task,
    DateTimeOffset? Started,
    string? Reason,
    string? Summary,
    RunUsage? Usage,
    int Events)
{
    /// <summary>Sums a log up.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="log">Its log.</param>
    /// <param name="active">Whether a process is writing it.</param>
    /// <returns>The summary.</returns>
    public static RunSummary Of(string runId, RunLog log, bool active)
    {
        ArgumentNullException.ThrowIfNull(log);
        var usage = log.Finished?.Usage;
        if (usage is null && log.Events.Count > 0)
        {
            var meter = new RunMeter();
            foreach (var runEvent in log.Events)
            {
                meter.Add(runEvent);
            }

            usage = meter.Total(log.Events[^1].Time - log.Events[0].Time);
        }

        var state = log.Finished is not null ? RunState.Finished : active ? RunState.Active : RunState.Interrupted;
        return new RunSummary(
            runId,
            state,
            log.Started?.Team,
            log.Started?.Task,
            log.Started?.Time,
            log.Finished?.Reason,
            log.Finished?.Summary,
            usage,
            log.Events.Count + log.Unrecognised.Count);
    }
}
