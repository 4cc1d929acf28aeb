using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Planning;

/// <summary>Divides a team's task into a task graph.</summary>
public interface IPlanner
{
    /// <summary>Makes a plan. It always ends, and the plan is valid.</summary>
    /// <param name="request">What is to be planned, and for whom.</param>
    /// <param name="cancellationToken">Stops the planning.</param>
    /// <returns>The plan; what was mended on the way is in the journal.</returns>
    Task<Plan> PlanAsync(PlanRequest request, CancellationToken cancellationToken = default);
}

/// <summary>What is to be planned, and for whom.</summary>
public sealed record PlanRequest
{
    /// <summary>The run's task.</summary>
    public required string Goal { get; init; }

    /// <summary>The members' cards.</summary>
    public required IReadOnlyList<AgentCard> Members { get; init; }

    /// <summary>What all members know; the planner's prompt begins with it.</summary>
    public required Transcript Transcript { get; init; }

    /// <summary>The most tasks, 1 to 64.</summary>
    public int MaxTasks { get; init; } = 8;

    /// <summary>The seed of the planner's sampling, or null for any.</summary>
    public long? Seed { get; init; }

    /// <summary>The run that the planner's calls belong to, or null.</summary>
    public string? RunId { get; init; }

    /// <summary>The capabilities that a task may ask for: those that some member has, in order.</summary>
    public IReadOnlyList<string> Capabilities =>
        [.. Members.SelectMany(m => m.Capabilities).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
