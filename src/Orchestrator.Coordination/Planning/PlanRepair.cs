using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Planning;

/// <summary>Makes any plan valid by fixed rules, without a model; what remains of it is kept.</summary>
public static class PlanRepair
{
    /// <summary>
    /// Mends a plan: tasks that say nothing or are too many go, ids that occur twice are replaced, needs that don't
    /// exist or close a cycle are dropped, unknown capabilities become none, and a plan without tasks becomes one task
    /// with the whole goal.
    /// </summary>
    /// <param name="plan">The plan.</param>
    /// <param name="capabilities">The capabilities that some member has.</param>
    /// <param name="maxTasks">The most tasks that it may have, at least 1.</param>
    /// <returns>A valid plan, and what was mended, a sentence each.</returns>
    public static (Plan Plan, IReadOnlyList<string> Repairs) Mend(
        Plan plan, IReadOnlyCollection<string> capabilities, int maxTasks)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(capabilities);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTasks, 1);
        var repairs = new List<string>();
        var tasks = Rename(Trim(plan.Tasks, maxTasks, repairs), repairs);
        var mended = new List<PlanTask>(tasks.Count);
        var ids = tasks.Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var task in tasks)
        {
            var capability = task.Capability;
            if (capability is not null && !capabilities.Contains(capability))
            {
                repairs.Add($"Task '{task.Id}' asked for the capability '{capability}', which no member has; anybody may do it.");
                capability = null;
            }

            var needs = new List<string>();
            foreach (var need in task.Needs.Distinct(StringComparer.Ordinal))
            {
                if (!ids.Contains(need))
                {
                    repairs.Add($"Task '{task.Id}' needed '{need}', which is not in the plan; it no longer does.");
                }
                else if (need == task.Id || Reaches(need, task.Id, mended))
                {
                    repairs.Add($"Task '{task.Id}' and '{need}' waited for each other; '{task.Id}' no longer does.");
                }
                else
                {
                    needs.Add(need);
                }
            }

            mended.Add(task with { Needs = needs, Capability = capability });
        }

        if (mended.Count == 0)
        {
            repairs.Add("The plan had no task; the whole goal is one.");
            mended.Add(new PlanTask("t1", string.IsNullOrWhiteSpace(plan.Goal) ? "Do the task." : plan.Goal, []));
        }

        return (plan with { Tasks = mended }, repairs);
    }

    private static List<PlanTask> Trim(IReadOnlyList<PlanTask> tasks, int maxTasks, List<string> repairs)
    {
        var kept = tasks.Where(t => !string.IsNullOrWhiteSpace(t.Description)).ToList();
        repairs.AddRange(tasks.Except(kept).Select(t => $"Task '{t.Id}' said nothing and was left out."));
        if (kept.Count > maxTasks)
        {
            repairs.Add($"The plan had {kept.Count} tasks; the first {maxTasks} were kept.");
            kept.RemoveRange(maxTasks, kept.Count - maxTasks);
        }

        return kept;
    }

    private static List<PlanTask> Rename(List<PlanTask> tasks, List<string> repairs)
    {
        var taken = tasks.Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tasks.Count; i++)
        {
            if (seen.Add(tasks[i].Id))
            {
                continue;
            }

            var number = 1;
            while (!taken.Add($"t{number}"))
            {
                number++;
            }

            repairs.Add($"A second task had the id '{tasks[i].Id}'; it is now 't{number}'.");
            tasks[i] = tasks[i] with { Id = $"t{number}" };
            seen.Add(tasks[i].Id);
        }

        return tasks;
    }

    /// <summary>Whether a task needs another, directly or through others, going by the tasks mended so far.</summary>
    private static bool Reaches(string from, string to, List<PlanTask> mended)
    {
        var open = new Stack<string>([from]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var id))
        {
            if (id == to)
            {
                return true;
            }

            if (seen.Add(id) && mended.Find(t => t.Id == id) is { } task)
            {
                foreach (var need in task.Needs)
                {
                    open.Push(need);
                }
            }
        }

        return false;
    }
}
