namespace Orchestrator.Inference.Benchmarks;

/// <summary>Values in the order of their size.</summary>
internal static class Ranked
{
    /// <summary>The value in the middle, or between the two there.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The value that a share of all do not exceed.</summary>
    public static double At(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
    }
}
