namespace Orchestrator.Plugins.Logs;

/// <summary>One record without its text.</summary>
/// <param name="At">Where its text is.</param>
/// <param name="Time">When, in UTC.</param>
/// <param name="Severity">How bad.</param>
/// <param name="Service">Who wrote it.</param>
/// <param name="Template">Number of its template.</param>
/// <param name="RequestId">The request that it belongs to.</param>
/// <param name="DurationMs">How long something took, in milliseconds.</param>
/// <param name="Peer">The other service that it names first; null when it names none.</param>
/// <param name="Values">The numbers that a record outside requests reports, by name or place; null when there are none.</param>
public readonly record struct IndexedRecord(
    Citation At, DateTimeOffset Time, Severity Severity, string Service, int Template, string? RequestId, double? DurationMs,
    string? Peer = null, IReadOnlyList<ReportedValue>? Values = null);

/// <summary>What one pass over a folder's log files leaves: the records in order of time, without their text.</summary>
public sealed class LogIndex
{
    private readonly TemplateMiner _miner;
    private readonly Dictionary<string, List<int>> _requests = new(StringComparer.Ordinal);

    private LogIndex(IReadOnlyList<IndexedRecord> records, TemplateMiner miner, IReadOnlyList<string> files)
    {
        Records = records;
        Files = files;
        _miner = miner;
        Services = [.. records.Select(r => r.Service).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        for (var i = 0; i < records.Count; i++)
        {
            if (records[i].RequestId is { } id)
            {
                if (!_requests.TryGetValue(id, out var list))
                {
                    _requests[id] = list = [];
                }

                list.Add(i);
            }
        }
    }

    /// <summary>The records that have a time, in order of time.</summary>
    public IReadOnlyList<IndexedRecord> Records { get; }

    /// <summary>The log files.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>All who wrote something, in alphabetical order.</summary>
    public IReadOnlyList<string> Services { get; }

    /// <summary>Time of the first record; the Unix epoch when there is none.</summary>
    public DateTimeOffset Start => Records.Count == 0 ? DateTimeOffset.UnixEpoch : Records[0].Time;

    /// <summary>Time of the last record; the Unix epoch when there is none.</summary>
    public DateTimeOffset End => Records.Count == 0 ? DateTimeOffset.UnixEpoch : Records[^1].Time;

    /// <summary>All request ids that occur.</summary>
    public IReadOnlyCollection<string> RequestIds => _requests.Keys;

    /// <summary>How many templates there are.</summary>
    public int Templates => _miner.Count;

    /// <summary>Reads all files once.</summary>
    /// <param name="reader">The folder.</param>
    /// <param name="cancellation">Stops between two lines.</param>
    public static LogIndex Build(LogReader reader, CancellationToken cancellation = default)
    {
        var miner = new TemplateMiner();
        var pool = new Dictionary<string, string>(StringComparer.Ordinal);
        var records = new List<IndexedRecord>();
        // Who could be named: those whose files these are, and who wrote something so far.
        var names = new PeerNames(reader.Files().Select(LogReader.ServiceOfFile));
        foreach (var r in reader.Records(cancellation))
        {
            names.Add(r.Service);
            if (r.Time is { } time)
            {
                var template = miner.Add(r.Message.Length > 600 ? r.Message[..600] : r.Message);
                records.Add(new IndexedRecord(r.At, time, r.Severity, Once(r.Service), template, r.RequestId is { } id ? Once(id) : null, r.DurationMs,
                    names.FirstIn(r.Message, r.Service) ?? names.FirstIn(r.Text, r.Service), r.RequestId is null ? ReportedValue.In(r) : null));
            }
        }

        // A stable order: equal times stay as written.
        return new LogIndex([.. records.OrderBy(r => r.Time)], miner, reader.Files());

        string Once(string text) => pool.TryGetValue(text, out var known) ? known : pool[text] = text;
    }

    /// <summary>A template's text, values replaced by marks such as &lt;n&gt;.</summary>
    /// <param name="template">Its number.</param>
    public string TemplateText(int template) => _miner.Text(template);

    /// <summary>The records of a request in order of time; none for an unknown one.</summary>
    /// <param name="requestId">Its id.</param>
    public IEnumerable<IndexedRecord> OfRequest(string requestId) =>
        _requests.TryGetValue(requestId, out var list) ? list.Select(i => Records[i]) : [];
}
