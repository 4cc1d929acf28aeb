namespace Orchestrator.Plugins.Logs;

/// <summary>A service that the incident may have started in.</summary>
/// <param name="Service">The service.</param>
/// <param name="Score">Its share of the suspicion, between 0 and 1; all shares add up to 1.</param>
/// <param name="Blame">Share of the failed requests whose first failing hop it is.</param>
/// <param name="Delay">Share of the added time that requests spend in it.</param>
/// <param name="Change">How much is new in what it writes around the onset, as a share of all that is new.</param>
/// <param name="Shift">How much the rates of its other messages changed, as a share.</param>
/// <param name="Evidence">The kinds of message that speak against it most.</param>
public sealed record Suspect(
    string Service, double Score, double Blame, double Delay, double Change, double Shift, IReadOnlyList<Anomaly> Evidence)
{
    /// <summary>Weights of blame, delay, change and shift; found on incidents of the kinds that are not held out.</summary>
    internal static readonly double[] Weights = [0.1, 0.1, 0.6, 0.2];

    /// <summary>
    /// Ranks the services: blame follows failed requests down to the hop that failed first, or that never logged them though
    /// it logs the others; delay compares the time that requests spend in each service itself before and after the onset;
    /// change and shift compare what the services write apart from requests.
    /// </summary>
    /// <param name="index">The logs.</param>
    /// <param name="onset">When things got worse; found when null.</param>
    /// <returns>The most suspicious first; empty when nothing got worse.</returns>
    public static IReadOnlyList<Suspect> Rank(LogIndex index, DateTimeOffset? onset = null)
    {
        onset ??= Onset.Find(index)?.Time;
        if (onset is not { } since)
        {
            return [];
        }

        var anomalies = Anomaly.Rank(index, since);
        var (blame, delay) = Blames(index, since);
        var change = new Dictionary<string, double>(StringComparer.Ordinal);
        var shift = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var a in anomalies)
        {
            if (a.IsNew && a.FirstTime <= since.AddMinutes(2))
            {
                change[a.Service] = change.GetValueOrDefault(a.Service) + (a.InRequests ? 0.3 : 1) * Math.Exp(-Math.Abs((since - a.FirstTime).TotalMinutes) / 3);
            }

            if (!a.InRequests && a.Bits > 4)
            {
                // What goes on until the end counts; a burst that is over does not.
                shift[a.Service] = shift.GetValueOrDefault(a.Service) + Math.Log2(1 + a.Bits) * (Lasts(index, a, since) ? 1 : 0.25);
            }
        }

        double[] totals = [blame.Values.Sum(), delay.Values.Sum(), change.Values.Sum(), shift.Values.Sum()];
        var suspects = index.Services.Select(s =>
        {
            double[] shares =
            [
                Share(blame, s, totals[0]), Share(delay, s, totals[1]), Share(change, s, totals[2]), Share(shift, s, totals[3]),
            ];
            var score = shares.Zip(Weights, (x, w) => x * w).Sum();
            var evidence = anomalies.Where(a => a.Service == s && a.Bits > 0).Take(8).ToList();
            return new Suspect(s, score, shares[0], shares[1], shares[2], shares[3], evidence);
        }).ToList();
        var sum = Math.Max(1e-9, suspects.Sum(s => s.Score));
        return [.. suspects.Select(s => s with { Score = s.Score / sum }).OrderByDescending(s => s.Score)];
    }

    private static double Share(Dictionary<string, double> of, string service, double total) => total <= 0 ? 0 : of.GetValueOrDefault(service) / total;

    /// <summary>Whether a kind of message is still written in the last third of the time after the onset.</summary>
    private static bool Lasts(LogIndex index, Anomaly anomaly, DateTimeOffset onset)
    {
        var late = index.End - (index.End - onset) / 3;
        return index.Records.Any(r => r.Time >= late && r.Service == anomaly.Service && index.TemplateText(r.Template) == anomaly.Template);
    }

    private static (Dictionary<string, double> Blame, Dictionary<string, double> Delay) Blames(LogIndex index, DateTimeOffset onset)
    {
        var paths = index.RequestIds.Select(id => RequestPath.Of(index, id)!).Where(p => p.Hops.Count > 0).ToList();
        var usual = UsualCallees(paths);
        var blame = new Dictionary<string, double>(StringComparer.Ordinal);
        var selfBefore = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var selfAfter = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var late = path.Hops[0].First >= onset;
            foreach (var hop in path.Hops.Where(h => h.SelfMs is not null))
            {
                var to = late ? selfAfter : selfBefore;
                if (!to.TryGetValue(hop.Service, out var list))
                {
                    to[hop.Service] = list = [];
                }

                list.Add(hop.SelfMs!.Value);
            }

            if (late && path.FirstFailure is { } failed)
            {
                // A callee that logs the caller's good requests and not this one was not reached, or could not answer.
                var reached = path.Hops.Select(h => h.Service).ToHashSet(StringComparer.Ordinal);
                var missing = usual.TryGetValue(failed, out var callees) ? callees.FirstOrDefault(c => !reached.Contains(c)) : null;
                blame[missing ?? failed] = blame.GetValueOrDefault(missing ?? failed) + (missing is null ? 1 : 0.7);
                if (missing is not null)
                {
                    blame[failed] = blame.GetValueOrDefault(failed) + 0.3;
                }
            }
        }

        var delay = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (service, after) in selfAfter)
        {
            var before = selfBefore.TryGetValue(service, out var list) ? list.Average() : 0;
            delay[service] = Math.Max(0, after.Average() - before) * after.Count;
        }

        return (blame, delay);
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

        return inside.Where(c => c.Value.Count > 0.6 * seen[c.Key.Caller]).GroupBy(c => c.Key.Caller).ToDictionary(
            g => g.Key, g => g.OrderBy(c => c.Value.Order / c.Value.Count).Select(c => c.Key.Callee).ToList(), StringComparer.Ordinal);
    }
}
