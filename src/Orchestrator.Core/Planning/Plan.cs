namespace Orchestrator.Core.Planning;

/// <summary>One piece of work.</summary>
/// <param name="Id">Short and unique in the plan.</param>
/// <param name="Description">What is to be done.</param>
/// <param name="Needs">The tasks whose results it needs.</param>
/// <param name="Capability">The capability that it asks for, or null.</param>
public sealed record PlanTask(string Id, string Description, IReadOnlyList<string> Needs, string? Capability = null);

/// <summary>A task graph: the edges are the tasks' needs.</summary>
/// <param name="Goal">What the plan is for.</param>
/// <param name="Tasks">The tasks, in the order that the planner wrote them.</param>
public sealed record Plan(string Goal, IReadOnlyList<PlanTask> Tasks);

/// <summary>Who does a task.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Agent">The agent.</param>
/// <param name="Probability">How probable the allocator held it against the other candidates, 0 to 1.</param>
/// <param name="Margin">Its probability less that of the next candidate.</param>
public sealed record Assignment(string TaskId, string Agent, double Probability, double Margin);

/// <summary>How a task ended.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Agent">Who did it.</param>
/// <param name="Succeeded">Whether there is a result to build on.</param>
/// <param name="Result">The result, or why there is none.</param>
public sealed record TaskOutcome(string TaskId, string Agent, bool Succeeded, string Result);
