using System.Globalization;

namespace Orchestrator.Incident.Bench;

/// <summary>What the trials come to.</summary>
internal static class Summary
{
    public static void Print(IReadOnlyList<Trial> trials)
    {
        if (trials.Count == 0)
        {
            return;
        }

        Line($"{trials.Count} incidents: chance {trials.Average(t => 1.0 / t.Services):P0}; tools' first rank {trials.Count(t => t.ToolsRank == 1)}, among three {trials.Count(t => t.ToolsRank is > 0 and <= 3)}");
        var run = trials.Where(t => t.Reason is not null).ToList();
        if (run.Count > 0)
        {
            Line($"{run.Count} runs of the team: named {run.Count(t => t.Team == t.Service)}, tools on the same {run.Count(t => t.ToolsRank == 1)}; completed {run.Count(t => t.Reason == "completed")}");
            Line($"citations {run.Sum(t => t.Citations)}, broken {run.Sum(t => t.Broken)}; median {Median(run.Select(t => t.Seconds)):0} s, {Median(run.Select(t => (double)t.Computed)):0} prompt tokens computed and {Median(run.Select(t => (double)t.Reused)):0} reused");
        }
    }

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
