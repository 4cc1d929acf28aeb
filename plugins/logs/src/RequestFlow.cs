namespace Orchestrator.Plugins.Logs;

/// <summary>
/// What the requests tell about the services since an onset. Errors travel from callee to caller, so a failed request is
/// followed down to the service that failed first, and to the one that it says did not answer.
/// </summary>
internal sealed class RequestFlow
{
    private readonly Dictionary<string, double> _failedFirst = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _accused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _notReached = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _added = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _errors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _complaints = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _own = new(StringComparer.Ordinal);

    public RequestFlow(LogIndex index, DateTimeOffset onset)
    {
        var paths = index.RequestIds.Select(id => RequestPath.Of(index, id)!).Where(p => p.Hops.Count > 0).ToList();
        var usual = UsualCallees(paths);
        Failures(index, paths.Where(p => p.Hops[0].First >= onset && p.FirstFailure is not null), usual);
        Delays(paths, onset);
        OutsideRequests(index, onset, usual);
    }

    /// <summary>Failed requests in which the service failed first.</summary>
    public IReadOnlyDictionary<string, double> FailedFirst => _failedFirst;

    /// <summary>Failed requests whose first error names the service.</summary>
    public IReadOnlyDictionary<string, double> Accused => _accused;

    /// <summary>Failed requests that name nobody, and of which the service would be expected to write and did not.</summary>
    public IReadOnlyDictionary<string, double> NotReached => _notReached;

    /// <summary>Milliseconds that requests spend in the service itself, more than before.</summary>
    public IReadOnlyDictionary<string, double> AddedMs => _added;

    /// <summary>Errors since the onset.</summary>
    public IReadOnlyDictionary<string, double> Errors => _errors;

    /// <summary>Those errors that name another service.</summary>
    public IReadOnlyDictionary<string, double> Complaints => _complaints;

    /// <summary>Failed requests in which the service failed first and names nobody else.</summary>
    public IReadOnlyDictionary<string, double> OwnErrors => _own;

    private void Failures(LogIndex index, IEnumerable<RequestPath> failed, Dictionary<string, List<string>> usual)
    {
        foreach (var path in failed)
        {
            var service = path.FirstFailure!;
            Add(_failedFirst, service, 1);
            var bad = index.OfRequest(path.RequestId).Where(r => r.Severity >= Severity.Warning).ToList();
            foreach (var r in bad)
            {
                Error(r, usual);
            }

            var reached = path.Hops.Select(h => h.Service).ToHashSet(StringComparer.Ordinal);
            // A callee that writes about the caller's good requests and not about this one was not reached, or could not answer.
            var missing = usual.TryGetValue(service, out var callees) ? callees.FirstOrDefault(c => !reached.Contains(c)) : null;
            var peer = bad.Where(r => r.Service == service && r.Peer is { } p && callees is not null && callees.Contains(p)).Select(r => r.Peer).LastOrDefault();
            if (peer is not null)
            {
                Add(_accused, peer, 1);
            }
            else
            {
                Add(_own, service, 1);
                if (missing is not null)
                {
                    Add(_notReached, missing, 1);
                }
            }
        }
    }

    private void OutsideRequests(LogIndex index, DateTimeOffset onset, Dictionary<string, List<string>> usual)
    {
        foreach (var r in index.Records.Where(r => r.RequestId is null && r.Severity >= Severity.Error && r.Time >= onset))
        {
            Error(r, usual);
        }
    }

    private void Error(IndexedRecord r, Dictionary<string, List<string>> usual)
    {
        Add(_errors, r.Service, 1);
        // A database's errors name the client that asked; that is no complaint about it.
        if (r.Peer is { } peer && !(usual.TryGetValue(peer, out var callees) && callees.Contains(r.Service)))
        {
            Add(_complaints, r.Service, 1);
        }
    }

    private void Delays(List<RequestPath> paths, DateTimeOffset onset)
    {
        foreach (var group in paths.SelectMany(p => p.Hops.Where(h => h.SelfMs is not null).Select(h => (h.Service, Ms: h.SelfMs!.Value, Late: p.Hops[0].First >= onset))).GroupBy(h => h.Service))
        {
            var before = group.Where(h => !h.Late).Select(h => h.Ms).DefaultIfEmpty(0).Average();
            var after = group.Where(h => h.Late).Select(h => h.Ms).ToList();
            if (after.Count > 0 && after.Average() > before)
            {
                _added[group.Key] = (after.Average() - before) * after.Count;
            }
        }
    }

    /// <summary>For each service those that in most of its good requests work within the time that it works, in order.</summary>
    private static Dictionary<string, List<string>> UsualCallees(List<RequestPath> paths)
    {
        // Access logs round times to seconds.
        var slack = TimeSpan.FromSeconds(1);
        var inside = new Dictionary<(string Caller, string Callee), (int Count, double Order)>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var path in paths.Where(p => p.FirstFailure is null))
        {
            foreach (var caller in path.Hops)
            {
                seen[caller.Service] = seen.GetValueOrDefault(caller.Service) + 1;
                var end = caller.First.AddMilliseconds(caller.DurationMs ?? 0) + slack;
                foreach (var callee in path.Hops.Where(h => h.DurationMs < caller.DurationMs && h.First >= caller.First - slack && h.First.AddMilliseconds(h.DurationMs!.Value) <= end))
                {
                    var (count, order) = inside.GetValueOrDefault((caller.Service, callee.Service));
                    inside[(caller.Service, callee.Service)] = (count + 1, order + (callee.First - caller.First).TotalMilliseconds);
                }
            }
        }

        // Databases log only a part of their queries, so a callee need not be in most requests to be one.
        return inside.Where(c => c.Value.Count > 0.3 * seen[c.Key.Caller]).GroupBy(c => c.Key.Caller).ToDictionary(
            g => g.Key, g => g.OrderBy(c => c.Value.Order / c.Value.Count).Select(c => c.Key.Callee).ToList(), StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, double> to, string service, double amount) => to[service] = to.GetValueOrDefault(service) + amount;
}
