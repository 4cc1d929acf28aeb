using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Planning;

/// <summary>The graph that a plan's needs make.</summary>
internal static class PlanGraph
{
    /// <summary>A cycle of needs, its first task repeated at the end, or null. Needs outside the plan are ignored.</summary>
    internal static IReadOnlyList<string>? FindCycle(Plan plan)
    {
        // Depth first without recursion: a plan of a file may be as deep as it is long.
        var needs = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var task in plan.Tasks)
        {
            needs.TryAdd(task.Id, task.Needs);
        }

        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (var task in plan.Tasks)
        {
            var path = new List<(string Id, int Next)> { (task.Id, 0) };
            while (path.Count > 0)
            {
                var (id, next) = path[^1];
                if (done.Contains(id) || next == needs[id].Count)
                {
                    done.Add(id);
                    path.RemoveAt(path.Count - 1);
                    continue;
                }

                path[^1] = (id, next + 1);
                var need = needs[id][next];
                var start = path.FindIndex(p => p.Id == need);
                if (start >= 0)
                {
                    return [.. path.Skip(start).Select(p => p.Id), need];
                }

                if (needs.ContainsKey(need))
                {
                    path.Add((need, 0));
                }
            }
        }

        return null;
    }

    /// <summary>
    /// The tasks of a valid plan in waves: each wave needs only earlier ones, so its tasks can run at once.
    /// </summary>
    internal static IReadOnlyList<IReadOnlyList<PlanTask>> Waves(Plan plan)
    {
        var waves = new List<IReadOnlyList<PlanTask>>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var rest = plan.Tasks.ToList();
        while (rest.Count > 0)
        {
            var wave = rest.Where(t => t.Needs.All(done.Contains)).ToList();
            if (wave.Count == 0)
            {
                throw new ArgumentException("The plan's tasks wait for each other.", nameof(plan));
            }

            waves.Add(wave);
            done.UnionWith(wave.Select(t => t.Id));
            rest.RemoveAll(wave.Contains);
        }

        return waves;
    }
}
