using Orchestrator.Core;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Planning;

/// <summary>The plan stands in the team's file.</summary>
public sealed class FixedPlanner : IPlanner
{
    private readonly IReadOnlyList<PlanTask> _tasks;
    private readonly IRunJournal _journal;

    /// <summary>Creates a planner for a run.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="journal">Gets the plan.</param>
    public FixedPlanner(IReadOnlyList<TaskDefinition> tasks, IRunJournal journal)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(journal);
        _tasks = Tasks(tasks);
        _journal = journal;
    }

    /// <summary>Refuses a fixed plan that is not valid.</summary>
    /// <param name="team">The team; nothing is checked for other kinds of planner.</param>
    /// <exception cref="OrchestratorException">The plan has a cycle, an unknown need or capability, or an id twice.</exception>
    public static void Validate(TeamDefinition team)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (team.Planner.Kind != "fixed")
        {
            return;
        }

        var capabilities = team.Members.SelectMany(m => m.Capabilities).ToHashSet(StringComparer.Ordinal);
        var tasks = Tasks(team.Planner.Tasks);
        Throw(PlanValidator.Validate(new Plan(team.Name, tasks), capabilities, int.MaxValue), team.SourcePath ?? team.Name);
    }

    /// <inheritdoc/>
    /// <exception cref="OrchestratorException">The plan is not valid.</exception>
    public async Task<Plan> PlanAsync(PlanRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var plan = new Plan(request.Goal, _tasks);
        Throw(PlanValidator.Validate(plan, request.Capabilities, int.MaxValue), "the team's file");
        await _journal.AppendAsync(new PlanMade(plan, []), cancellationToken).ConfigureAwait(false);
        return plan;
    }

    private static PlanTask[] Tasks(IReadOnlyList<TaskDefinition> tasks) =>
        [.. tasks.Select(t => new PlanTask(t.Id, t.Description, t.Needs, t.Capability))];

    private static void Throw(IReadOnlyList<string> reasons, string where)
    {
        if (reasons.Count > 0)
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"The fixed plan of {where} is not valid. {string.Join(' ', reasons)}",
                "Mend planner.tasks in the team's file.");
        }
    }
}
