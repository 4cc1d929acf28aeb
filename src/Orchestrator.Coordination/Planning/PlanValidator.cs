using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Planning;

/// <summary>Says what is wrong with a plan.</summary>
public static class PlanValidator
{
    /// <summary>Checks a plan: a bounded number of tasks, ids that differ, needs that exist, no cycle, known capabilities.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="capabilities">The capabilities that some member has.</param>
    /// <param name="maxTasks">The most tasks that it may have.</param>
    /// <returns>What is wrong, a sentence each; empty for a valid plan.</returns>
    public static IReadOnlyList<string> Validate(Plan plan, IReadOnlyCollection<string> capabilities, int maxTasks)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(capabilities);
        var reasons = new List<string>();
        if (plan.Tasks.Count == 0)
        {
            reasons.Add("The plan has no task.");
        }

        if (plan.Tasks.Count > maxTasks)
        {
            reasons.Add($"The plan has {plan.Tasks.Count} tasks; {maxTasks} are allowed.");
        }

        foreach (var twice in plan.Tasks.GroupBy(t => t.Id, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            reasons.Add($"{twice.Count()} tasks have the id '{twice.Key}'.");
        }

        var ids = plan.Tasks.Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var task in plan.Tasks)
        {
            if (string.IsNullOrWhiteSpace(task.Description))
            {
                reasons.Add($"Task '{task.Id}' says nothing.");
            }

            reasons.AddRange(task.Needs.Where(n => !ids.Contains(n)).Distinct(StringComparer.Ordinal)
                .Select(n => $"Task '{task.Id}' needs '{n}', which is not in the plan."));
            if (task.Capability is { } capability && !capabilities.Contains(capability))
            {
                reasons.Add($"Task '{task.Id}' asks for the capability '{capability}', which no member has.");
            }
        }

        if (PlanGraph.FindCycle(plan) is { } cycle)
        {
            reasons.Add($"The tasks {string.Join(" → ", cycle)} wait for each other.");
        }

        return reasons;
    }
}
