using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>
/// What speaks for and against each service as the place where an incident began: the questions that an engineer on call
/// asks, each answered by a number between 0 and 1 for each service.
/// </summary>
public sealed partial class ServiceSignals
{
    /// <summary>The names of the signals, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "failed first", "accused", "complains", "delay", "change event", "lasting new state", "new lines", "named in new lines elsewhere",
        "shifted values", "more of its lines", "new errors of its own", "earliest", "not reached",
    ];

    private readonly LogIndex _index;
    private readonly DateTimeOffset _onset;
    private readonly Dictionary<string, double[]> _values;

    internal ServiceSignals(LogIndex index, DateTimeOffset onset, IReadOnlyList<Anomaly> anomalies)
    {
        _index = index;
        _onset = onset;
        _values = index.Services.ToDictionary(s => s, _ => new double[Names.Count], StringComparer.Ordinal);
        var flow = new RequestFlow(index, onset);
        Shares(0, flow.FailedFirst);
        Accusations(flow);
        Shares(3, flow.AddedMs);
        Novelty(anomalies);
        Shifts();
    }

    /// <summary>The signals of a service.</summary>
    public IReadOnlyList<double> Of(string service) => _values[service];

    /// <summary>Whether a text tells of somebody or something changing the system: a release, a setting, a command.</summary>
    internal static bool IsChange(string text) => ChangeWords().IsMatch(text);

    private void Shares(int signal, IReadOnlyDictionary<string, double> amounts)
    {
        var total = amounts.Values.Sum();
        foreach (var (service, amount) in amounts)
        {
            if (total > 0 && _values.TryGetValue(service, out var values))
            {
                values[signal] = amount / total;
            }
        }
    }

    /// <summary>
    /// A service that the others' errors name is suspect; one whose own errors name another is more likely a victim.
    /// </summary>
    private void Accusations(RequestFlow flow)
    {
        Shares(1, flow.Accused);
        foreach (var (service, values) in _values)
        {
            var own = flow.Errors.GetValueOrDefault(service);
            values[2] = own <= 0 ? 0 : flow.Complaints.GetValueOrDefault(service) / own;
        }

        Shares(10, flow.OwnErrors);
        Shares(12, flow.NotReached);
    }

    private void Novelty(IReadOnlyList<Anomaly> anomalies)
    {
        var late = _index.End - (_index.End - _onset) / 3;
        var lasting = new HashSet<(string, int)>();
        var peers = new Dictionary<(string, int), Dictionary<string, int>>();
        foreach (var r in _index.Records.Where(r => r.Time >= _onset))
        {
            if (r.Time >= late)
            {
                lasting.Add((r.Service, r.Template));
            }
        }

        var change = new Dictionary<string, double>(StringComparer.Ordinal);
        var state = new Dictionary<string, double>(StringComparer.Ordinal);
        var lines = new Dictionary<string, double>(StringComparer.Ordinal);
        var named = new Dictionary<string, double>(StringComparer.Ordinal);
        var more = new Dictionary<string, double>(StringComparer.Ordinal);
        var first = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var a in anomalies)
        {
            var lead = (_onset - a.FirstTime).TotalMinutes;
            var lasts = lasting.Contains((a.Service, a.TemplateId));
            if (a.IsNew && lead >= -2)
            {
                var near = Math.Exp(-Math.Abs(lead) / 3);
                if (!a.InRequests)
                {
                    Add(lines, a.Service, near);
                    if (IsChange(a.Template))
                    {
                        Add(change, a.Service, near);
                    }

                    if (lasts && a.After >= 3)
                    {
                        Add(state, a.Service, Math.Log2(1 + a.After));
                        first[a.Service] = Math.Max(first.GetValueOrDefault(a.Service), Math.Clamp(0.3 + lead / 10, 0.1, 1));
                    }
                }
            }

            if (a.IsNew && a.Peers.Count > 0)
            {
                // A new kind of line that names a single one of several possible services is about that one.
                var total = a.Peers.Values.Sum();
                foreach (var (peer, count) in a.Peers.Where(p => p.Value > 0.7 * total && a.Severity < Severity.Error))
                {
                    Add(named, peer, Math.Log2(1 + count));
                }
            }

            if (!a.IsNew && !a.InRequests && a.Bits > 4)
            {
                Add(more, a.Service, Math.Log2(1 + a.Bits) * (lasts ? 1 : 0.25));
            }
        }

        Shares(4, change);
        Shares(5, state);
        Shares(6, lines);
        Shares(7, named);
        Shares(9, more);
        Shares(11, first);
    }

    /// <summary>Numbers that a service reports about itself and that moved far out of their usual range.</summary>
    private void Shifts()
    {
        var moved = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var group in _index.Records.Where(r => r.Values is not null).SelectMany(r => r.Values!.Select(v => (r.Service, r.Template, v.Name, v.Value, r.Time)))
            .GroupBy(x => (x.Service, x.Template, x.Name)))
        {
            var before = group.Where(x => x.Time < _onset).Select(x => x.Value).ToList();
            var after = group.Where(x => x.Time >= _onset).Select(x => x.Value).ToList();
            if (before.Count < 4 || after.Count < 4)
            {
                continue;
            }

            var mean = before.Average();
            var spread = Math.Sqrt(before.Average(v => (v - mean) * (v - mean))) + 0.05 * Math.Abs(mean) + 1e-9;
            var z = Math.Abs(after.Average() - mean) / spread;
            if (z > 2.5)
            {
                moved[group.Key.Service] = Math.Max(moved.GetValueOrDefault(group.Key.Service), Math.Min(z, 10));
            }
        }

        Shares(8, moved);
    }

    private static void Add(Dictionary<string, double> to, string service, double amount) => to[service] = to.GetValueOrDefault(service) + amount;

    [GeneratedRegex(@"\b(?:config\w*|reload\w*|reconfigur\w*|version|deploy\w*|releas\w*|migrat\w*|flag|chang\w*|replac\w*|rotat\w*|renew\w*|restart\w*|starting|started|applying|upgrad\w*|COMMAND|CMD|revision|without size limit|flushed)\b|->", RegexOptions.IgnoreCase)]
    private static partial Regex ChangeWords();
}
