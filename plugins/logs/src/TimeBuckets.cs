namespace Orchestrator.Plugins.Logs;

/// <summary>One service over time.</summary>
/// <param name="Service">The service.</param>
/// <param name="Records">Records in each bucket.</param>
/// <param name="Errors">Errors in each bucket.</param>
/// <param name="MeanMs">Mean duration in each bucket, in milliseconds; 0 where none was logged.</param>
public sealed record TimeBuckets(string Service, IReadOnlyList<int> Records, IReadOnlyList<int> Errors, IReadOnlyList<double> MeanMs)
{
    // Plain ASCII: a terminal, a log and a small model's vocabulary all have these.
    private const string Levels = " .:-=+*#%@";

    /// <summary>Counts, a row for each service.</summary>
    /// <param name="index">The logs.</param>
    /// <param name="bucket">Length of a bucket.</param>
    public static IReadOnlyList<TimeBuckets> Count(LogIndex index, TimeSpan bucket)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(bucket, TimeSpan.Zero);
        var buckets = (int)Math.Min(100_000, (index.End - index.Start) / bucket) + 1;
        return [.. index.Records.GroupBy(r => r.Service).OrderBy(g => g.Key, StringComparer.Ordinal).Select(group =>
        {
            var records = new int[buckets];
            var errors = new int[buckets];
            var sum = new double[buckets];
            var timed = new int[buckets];
            foreach (var r in group)
            {
                var i = Math.Min(buckets - 1, (int)((r.Time - index.Start) / bucket));
                records[i]++;
                errors[i] += r.Severity == Severity.Error ? 1 : 0;
                if (r.DurationMs is { } ms)
                {
                    sum[i] += ms;
                    timed[i]++;
                }
            }

            return new TimeBuckets(group.Key, records, errors, [.. sum.Select((s, i) => timed[i] == 0 ? 0 : s / timed[i])]);
        })];
    }

    /// <summary>Numbers as a line of marks, from blank for 0 to @ for the largest.</summary>
    /// <param name="values">The numbers, 0 or more.</param>
    public static string Sparkline(IEnumerable<double> values)
    {
        var all = values.ToList();
        var max = all.DefaultIfEmpty(0).Max();
        return string.Concat(all.Select(v => max <= 0 || v <= 0 ? Levels[0] : Levels[Math.Clamp((int)Math.Ceiling(v / max * (Levels.Length - 1)), 1, Levels.Length - 1)]));
    }
}
