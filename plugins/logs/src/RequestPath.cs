namespace Orchestrator.Plugins.Logs;

/// <summary>One service's part in a request.</summary>
/// <param name="Service">The service.</param>
/// <param name="First">Its first record's time.</param>
/// <param name="Records">How many records it wrote.</param>
/// <param name="Failed">Whether one of them is an error.</param>
/// <param name="DurationMs">The longest duration that it logged.</param>
/// <param name="SelfMs">That duration without what it spent waiting for other services of the request.</param>
/// <param name="At">Its first error, or else its first record.</param>
public sealed record Hop(string Service, DateTimeOffset First, int Records, bool Failed, double? DurationMs, double? SelfMs, Citation At);

/// <summary>A request on its way through the services.</summary>
/// <param name="RequestId">Its id.</param>
/// <param name="Hops">The services in the order in which they began to work, as far as durations tell.</param>
/// <param name="FirstFailure">The failing service furthest down the path; null when none logged an error.</param>
public sealed record RequestPath(string RequestId, IReadOnlyList<Hop> Hops, string? FirstFailure)
{
    /// <summary>Follows a request.</summary>
    /// <param name="index">The logs.</param>
    /// <param name="requestId">Its id.</param>
    /// <returns>The path; null when no record names the id.</returns>
    public static RequestPath? Of(LogIndex index, string requestId)
    {
        var records = index.OfRequest(requestId).ToList();
        if (records.Count == 0)
        {
            return null;
        }

        var spans = records.Where(r => r.DurationMs is > 0).Select(r => (r.Service, Start: r.Time.AddMilliseconds(-r.DurationMs!.Value), End: r.Time)).ToList();
        var hops = new List<Hop>();
        foreach (var group in records.GroupBy(r => r.Service))
        {
            var error = group.Where(r => r.Severity == Severity.Error).Select(r => (IndexedRecord?)r).FirstOrDefault();
            var longest = group.Max(r => r.DurationMs);
            var first = group.Min(r => r.Time.AddMilliseconds(-(r.DurationMs ?? 0)));
            hops.Add(new Hop(group.Key, first, group.Count(), error is not null, longest, longest is null ? null : Self(group.Key, longest.Value, spans), (error ?? group.First()).At));
        }

        // A caller's error follows from that of the service it called, which began to work later. Times of errors would
        // mislead: some formats write whole seconds.
        var failed = hops.Where(h => h.Failed).MaxBy(h => h.First)?.Service;
        return new RequestPath(requestId, [.. hops.OrderBy(h => h.First)], failed);
    }

    /// <summary>Time of a service's longest span that no other service's span covers.</summary>
    private static double Self(string service, double longest, List<(string Service, DateTimeOffset Start, DateTimeOffset End)> spans)
    {
        var own = spans.Where(s => s.Service == service).MaxBy(s => s.End - s.Start);
        // Clocks and rounding are off by some milliseconds; access logs even by a second.
        var slack = TimeSpan.FromMilliseconds(1000);
        var inner = spans.Where(s => s.Service != service && s.Start >= own.Start - slack && s.End <= own.End + slack && s.End - s.Start < own.End - own.Start).OrderBy(s => s.Start);
        double covered = 0;
        DateTimeOffset? until = null;
        foreach (var span in inner)
        {
            var start = until is { } u && u > span.Start ? u : span.Start;
            if (span.End > start)
            {
                covered += (span.End - start).TotalMilliseconds;
                until = span.End;
            }
        }

        return Math.Max(0, longest - covered);
    }
}
