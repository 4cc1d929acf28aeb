using System.Globalization;
using Orchestrator.Inference.Constraints.Suites;

namespace Orchestrator.Console.Commands.Schemas;

/// <summary>The figures of a suite, as <c>--json</c> writes them. Times in microseconds.</summary>
internal sealed record SuiteSummary(
    int Schemas,
    int Passing,
    int Unsupported,
    int RejectedForOrder,
    int WronglyRejected,
    int WronglyAccepted,
    IReadOnlyDictionary<string, int> UnsupportedKeywords,
    Percentiles Compile,
    Percentiles Mask)
{
    public static SuiteSummary Of(IReadOnlyList<SuiteResult> results)
    {
        int Count(SuiteOutcome outcome) => results.Count(result => result.Outcome == outcome);
        return new SuiteSummary(
            results.Count,
            Count(SuiteOutcome.Passed),
            Count(SuiteOutcome.Unsupported),
            Count(SuiteOutcome.RejectedForOrder),
            Count(SuiteOutcome.WronglyRejected),
            Count(SuiteOutcome.WronglyAccepted),
            results.Where(result => result.Outcome == SuiteOutcome.Unsupported).GroupBy(result => result.Keyword ?? "other").OrderByDescending(group => group.Count())
                .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal),
            Percentiles.Of(results.Where(result => result.Outcome != SuiteOutcome.Unsupported).Select(result => result.CompileMicroseconds)),
            Percentiles.Of(results.SelectMany(result => result.MaskMicroseconds)));
    }
}

/// <summary>How times are spread.</summary>
internal sealed record Percentiles(int Count, double Average, double P50, double P90, double P99, double Max)
{
    public static Percentiles Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double At(double share) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
        return new Percentiles(sorted.Length, sorted.Length == 0 ? 0 : sorted.Average(), At(0.5), At(0.9), At(0.99), At(1));
    }

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"average {Average:F1}, p50 {P50:F1}, p90 {P90:F1}, p99 {P99:F1}, max {Max:F1} ({Count})");
}
