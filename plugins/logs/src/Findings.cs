using System.Globalization;
using System.Text;

namespace Orchestrator.Plugins.Logs;

/// <summary>
/// The evidence for one service as the place where an incident began: only lines that support it, each quoted from where
/// it stands.
/// </summary>
internal sealed class Findings(LogIndex index, LogReader reader, Onset onset, IReadOnlyList<Suspect> suspects)
{
    private readonly Dictionary<Citation, string> _texts = [];
    private readonly IReadOnlyList<Anomaly> _anomalies = Anomaly.Rank(index, onset.Time);

    /// <summary>What was changed in the service shortly before the onset, the nearest first; else what else was new then.</summary>
    public IReadOnlyList<Anomaly> Changes(string service)
    {
        var fresh = _anomalies.Where(a => a.Service == service && a.IsNew && !a.InRequests && a.FirstTime <= onset.Time.AddSeconds(30))
            .OrderBy(a => (onset.Time - a.FirstTime).Duration()).ToList();
        var changes = fresh.Where(a => ServiceSignals.IsChange(FirstText(a))).Take(4).ToList();
        return changes.Count > 0 ? changes : [.. fresh.Take(3)];
    }

    /// <summary>What the service writes since then that it did not write before, most surprising first.</summary>
    public IReadOnlyList<Anomaly> Since(string service)
    {
        var told = Changes(service).Select(a => a.First).ToHashSet();
        return [.. _anomalies.Where(a => a.Service == service && a.After > 1 && a.Bits > 4 && !told.Contains(a.First) && (a.IsNew || !a.InRequests || a.Severity >= Severity.Warning))
            .OrderByDescending(a => a.Bits + (a.IsNew ? 6 : 0)).Take(4)];
    }

    /// <summary>What others write because of it: errors that name the service, or of requests that it takes part in.</summary>
    public IReadOnlyList<Anomaly> Elsewhere(string service) =>
        [.. _anomalies.Where(a => a.Service != service && a.After > 1 && a.Bits > 4 && (a.Severity >= Severity.Warning ? Concerns(a, service) : a.IsNew && Names(a, service)))
            .GroupBy(a => a.Service).SelectMany(g => g.OrderByDescending(a => a.Severity).ThenByDescending(a => a.Bits).Take(2)).OrderByDescending(a => a.Bits).Take(5)];

    /// <summary>The part of a report that cites.</summary>
    public string Write(Suspect suspect)
    {
        var text = new StringBuilder();
        var service = suspect.Service;
        text.AppendLine(Invariant($"Failed and slow records rose from {onset.Before:0.#} to {onset.After:0.#} a minute at {onset.Time:yyyy-MM-dd HH:mm:ss}Z.{FirstChange(service)}"));
        Section(text, $"What changed in {service}", Changes(service));
        Section(text, $"What {service} writes since", Since(service));
        Section(text, "What it did to the others", Elsewhere(service));
        text.AppendLine("\n### What the counts say\n");
        text.AppendLine("| service | by the counts alone | fails first in | is named by the first error in | added time |\n|---|---|---|---|---|");
        foreach (var s in suspects.Take(4))
        {
            text.AppendLine(Invariant($"| {s.Service} | {100 * s.Score:0} % | {100 * s.FailedFirst:0} % of failed requests | {100 * s.Accused:0} % | {100 * s.Delay:0} % |"));
        }

        return text.ToString();
    }

    /// <summary>The message of a kind's first record, values included.</summary>
    public string FirstText(Anomaly anomaly)
    {
        var record = LineParser.Parse(Text(anomaly.First), index.Start.Year);
        return record.Message.Length > 0 ? record.Message : anomaly.Template;
    }

    /// <summary>A kind's first record as a report quotes it.</summary>
    public string Quote(Anomaly anomaly) => $"- `{anomaly.First}` `{Text(anomaly.First)}`{(anomaly.After > 1 ? Invariant($" ({anomaly.After} since)") : "")}";

    private string FirstChange(string service)
    {
        if (Changes(service).FirstOrDefault() is not { } change)
        {
            return "";
        }

        var seconds = (onset.Time - change.FirstTime).TotalSeconds;
        var when = Math.Abs(seconds) < 120 ? Invariant($"{Math.Abs(seconds):0} s") : Invariant($"{Math.Abs(seconds) / 60:0} min");
        var what = ServiceSignals.IsChange(FirstText(change)) ? $"a change in {service}" : $"a kind of line that {service} had not written before";
        return $" {when} {(seconds >= 0 ? "before" : "after")} that came {what}: {change.First}.";
    }

    private static bool Names(Anomaly anomaly, string service) =>
        anomaly.Peers.GetValueOrDefault(service) > 0.7 * Math.Max(1, anomaly.Peers.Values.Sum());

    private bool Concerns(Anomaly anomaly, string service)
    {
        if (anomaly.Peers.ContainsKey(service))
        {
            return true;
        }

        var requests = index.Records.Where(r => r.Time >= onset.Time && r.Service == anomaly.Service && r.Template == anomaly.TemplateId && (r.Severity == Severity.Error) == (anomaly.Severity == Severity.Error) && r.RequestId is not null)
            .Select(r => r.RequestId!).Distinct().Take(40).ToList();
        return requests.Count > 0 && requests.Count(id => index.OfRequest(id).Any(r => r.Service == service || r.Peer == service)) > requests.Count / 2;
    }

    private void Section(StringBuilder text, string title, IReadOnlyList<Anomaly> lines)
    {
        if (lines.Count > 0)
        {
            text.AppendLine($"\n### {title}\n");
            text.AppendLine(string.Join('\n', lines.Select(Quote)));
        }
    }

    private string Text(Citation at) => _texts.TryGetValue(at, out var known) ? known : _texts[at] = Citations.Quoted(reader.Lines(at.File, at.Line, 1).Select(l => l.Text).FirstOrDefault() ?? "");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
