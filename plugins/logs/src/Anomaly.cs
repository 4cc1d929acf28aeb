namespace Orchestrator.Plugins.Logs;

/// <summary>A kind of message whose rate changed, or that was never seen before.</summary>
/// <param name="Service">Who writes it.</param>
/// <param name="Template">Its text with values masked.</param>
/// <param name="Severity">Its usual severity.</param>
/// <param name="Before">How many before the onset.</param>
/// <param name="After">How many after it.</param>
/// <param name="Bits">How surprising the change is, in bits; negative when the rate fell.</param>
/// <param name="First">The first record of it, or the first after the change.</param>
/// <param name="FirstTime">That record's time.</param>
/// <param name="IsNew">Whether it was first seen within ten minutes before the onset, or after it.</param>
/// <param name="InRequests">Whether it belongs to requests.</param>
public sealed record Anomaly(
    string Service, string Template, Severity Severity, int Before, int After, double Bits,
    Citation First, DateTimeOffset FirstTime, bool IsNew, bool InRequests)
{
    /// <summary>Number of its template.</summary>
    internal int TemplateId { get; init; }

    /// <summary>How often it names which other service since the onset.</summary>
    internal IReadOnlyDictionary<string, int> Peers { get; init; } = new Dictionary<string, int>();

    /// <summary>How long before the onset a change may lie and still count as one.</summary>
    internal static readonly TimeSpan LookBack = TimeSpan.FromMinutes(10);

    /// <summary>Ranks the kinds of message by how surprisingly their rate changed.</summary>
    /// <param name="index">The logs.</param>
    /// <param name="onset">When things got worse.</param>
    /// <returns>The most surprising first.</returns>
    public static IReadOnlyList<Anomaly> Rank(LogIndex index, DateTimeOffset onset)
    {
        var changed = onset - LookBack;
        var beforeTime = Math.Max(1e-9, (onset - index.Start).TotalMinutes);
        var afterTime = Math.Max(1e-9, (index.End - onset).TotalMinutes);
        var found = new List<Anomaly>();
        foreach (var group in index.Records.GroupBy(r => (r.Service, r.Template, IsError: r.Severity == Severity.Error)))
        {
            // The same text as an error is another kind: an access log tells its failures by nothing but the status.
            var before = 0;
            var after = 0;
            var first = group.First();
            IndexedRecord? firstAfter = null;
            foreach (var r in group)
            {
                if (r.Time < onset)
                {
                    before++;
                }
                else
                {
                    after++;
                    firstAfter ??= r;
                }
            }

            var isNew = first.Time >= changed;
            var bits = Rates.Bits(before, beforeTime, after, afterTime);
            var shown = isNew ? first : firstAfter ?? first;
            found.Add(new Anomaly(group.Key.Service, index.TemplateText(group.Key.Template), group.Max(r => r.Severity), before, after, bits, shown.At, shown.Time, isNew, first.RequestId is not null)
            {
                TemplateId = group.Key.Template,
                Peers = group.Where(r => r.Time >= onset && r.Peer is not null).GroupBy(r => r.Peer!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal),
            });
        }

        // A new message is worth at least one line however rare; the rest by bits.
        return [.. found.Where(a => a.IsNew || Math.Abs(a.Bits) > 4).OrderByDescending(a => Math.Abs(a.Bits) + (a.IsNew ? 6 : 0)).ThenBy(a => a.FirstTime)];
    }
}
