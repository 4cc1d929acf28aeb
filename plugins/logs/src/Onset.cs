namespace Orchestrator.Plugins.Logs;

/// <summary>When things got worse.</summary>
/// <param name="Time">The moment that splits the recording best into a good and a bad part.</param>
/// <param name="Before">Bad records a minute before it.</param>
/// <param name="After">Bad records a minute after it.</param>
/// <param name="Bits">How much better two rates explain the counts than one, in bits.</param>
public sealed record Onset(DateTimeOffset Time, double Before, double After, double Bits)
{
    private static readonly TimeSpan Bin = TimeSpan.FromSeconds(15);

    /// <summary>Finds the change point of the rate of errors and slow records: the split with the largest Poisson likelihood ratio.</summary>
    /// <param name="index">The logs.</param>
    /// <param name="service">Only this service's records; null for all.</param>
    /// <returns>The onset; null when the rate never rises.</returns>
    public static Onset? Find(LogIndex index, string? service = null)
    {
        var usual = new UsualDurations(index);
        var bad = index.Records.Where(r => (service is null || r.Service == service) && (r.Severity == Severity.Error || usual.IsSlow(r))).Select(r => r.Time);
        return OfTimes(bad, index.Start, index.End);
    }

    /// <summary>The change point of the rate of events.</summary>
    /// <param name="times">When they happened.</param>
    /// <param name="start">Start of the recording.</param>
    /// <param name="end">End of the recording.</param>
    internal static Onset? OfTimes(IEnumerable<DateTimeOffset> times, DateTimeOffset start, DateTimeOffset end)
    {
        var bins = new int[Math.Max(1, (int)((end - start) / Bin) + 1)];
        foreach (var time in times)
        {
            bins[Math.Clamp((int)((time - start) / Bin), 0, bins.Length - 1)]++;
        }

        double total = bins.Sum();
        Onset? best = null;
        double before = bins[0];
        for (var split = 1; split < bins.Length; split++)
        {
            var bits = Rates.Bits(before, split, total - before, bins.Length - split);
            if (bits > 0 && bits > (best?.Bits ?? 0))
            {
                var perMinute = 60 / Bin.TotalSeconds;
                best = new Onset(start + split * Bin, before / split * perMinute, (total - before) / (bins.Length - split) * perMinute, bits);
            }

            before += bins[split];
        }

        return best;
    }
}

/// <summary>How long each kind of record usually takes, from the first third of the recording.</summary>
internal sealed class UsualDurations
{
    private readonly Dictionary<(string Service, int Template), double> _limits = [];

    public UsualDurations(LogIndex index)
    {
        var third = index.Start + (index.End - index.Start) / 3;
        foreach (var group in index.Records.Where(r => r.DurationMs is not null && r.Time < third).GroupBy(r => (r.Service, r.Template)))
        {
            var sorted = group.Select(r => r.DurationMs!.Value).Order().ToList();
            if (sorted.Count >= 5)
            {
                _limits[group.Key] = 100 + 4 * sorted[sorted.Count / 2];
            }
        }
    }

    public bool IsSlow(IndexedRecord r) =>
        r.DurationMs is { } ms && ms > (_limits.TryGetValue((r.Service, r.Template), out var limit) ? limit : 2000);
}

/// <summary>Comparing two counts.</summary>
internal static class Rates
{
    /// <summary>
    /// Log-likelihood ratio in bits of two Poisson rates against one, with its sign: positive when the second rate is higher.
    /// </summary>
    public static double Bits(double firstCount, double firstTime, double secondCount, double secondTime)
    {
        static double Term(double count, double time) => count <= 0 || time <= 0 ? 0 : count * Math.Log2(count / time);
        var bits = Term(firstCount, firstTime) + Term(secondCount, secondTime) - Term(firstCount + secondCount, firstTime + secondTime);
        var rises = secondTime > 0 && (firstTime <= 0 || secondCount / secondTime >= firstCount / firstTime);
        return rises ? Math.Max(0, bits) : -Math.Max(0, bits);
    }
}
