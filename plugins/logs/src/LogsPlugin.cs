using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Plugins.Logs;

/// <summary>The tools of a team that reads logs: they count, the model decides where to look and what it means.</summary>
public sealed class LogsPlugin
{
    private const int Shown = 6;
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string? _outputFolder;
    private readonly LogReader _reader;
    private readonly Lazy<LogIndex> _index;
    private readonly Lazy<Onset?> _onset;
    private readonly Lazy<IReadOnlyList<Suspect>> _suspects;

    /// <summary>Reads the folder that the input <c>logs</c> names.</summary>
    /// <param name="context">The run's inputs.</param>
    public LogsPlugin(PluginContext context)
        : this(context.InputPath("logs"), context.OutputFolder)
    {
    }

    internal LogsPlugin(string folder, string? outputFolder = null)
    {
        _outputFolder = outputFolder;
        _reader = new LogReader(folder);
        _index = new(() => LogIndex.Build(_reader));
        _onset = new(() => Onset.Find(_index.Value));
        _suspects = new(() => Suspect.Rank(_index.Value, _onset.Value?.Time));
    }

    /// <summary>Files, services, and when things got worse.</summary>
    [KernelFunction("overview"), Description("Gives an overview of the log folder: files, services, time range, and the minute when errors and slowness began.")]
    public string Overview()
    {
        var index = _index.Value;
        var text = new StringBuilder();
        text.Append(Invariant($"{index.Records.Count} records of {index.Services.Count} services in {index.Files.Count} files, {index.Start:yyyy-MM-dd HH:mm:ss} to {index.End:HH:mm:ss}. "));
        text.AppendLine(_onset.Value is { } onset ? Invariant($"It got worse at {onset.Time:HH:mm:ss}: {onset.Before:0.#} bad records a minute before, {onset.After:0.#} after.") : "Nothing got worse.");
        foreach (var row in TimeBuckets.Count(index, TimeSpan.FromMinutes(1)))
        {
            text.AppendLine(Invariant($"{row.Service}: {row.Records.Sum()} records, {row.Errors.Sum()} errors"));
        }

        return text.ToString();
    }

    /// <summary>Searches for text.</summary>
    [KernelFunction("search"), Description("Searches the log files for a word or phrase and gives the lines that contain it, with file and line number.")]
    public string Search(
        [Description("The word or phrase.")] string text,
        [Description("Only this service; leave out for all.")] string? service = null,
        [Description("How many lines at most, 1 to 50.")] int max = 8)
    {
        var found = new LogSearch { Text = text, Service = string.IsNullOrWhiteSpace(service) ? null : service, Max = Math.Clamp(max, 1, 50) }.Find(_reader);
        return found.Count == 0 ? "Nothing was found." : string.Join('\n', found.Select(r => $"{r.At} {Citations.Quoted(r.Text)}"));
    }

    /// <summary>Errors and durations by minute.</summary>
    [KernelFunction("timeline"), Description("Draws errors and response times by minute for each service, to see when and where it got slow or failed.")]
    public string Timeline()
    {
        var text = new StringBuilder(Invariant($"One mark a minute from {_index.Value.Start:HH:mm}.\n"));
        foreach (var row in TimeBuckets.Count(_index.Value, TimeSpan.FromMinutes(1)))
        {
            if (row.Errors.Sum() > 0)
            {
                text.AppendLine($"{row.Service} errors |{TimeBuckets.Sparkline(row.Errors.Select(e => (double)e))}|");
            }
        }

        foreach (var suspect in _suspects.Value.Where(s => s.Delay > 0.1))
        {
            text.AppendLine(Invariant($"{suspect.Service} has {100 * suspect.Delay:0} % of the added response time"));
        }

        return text.ToString();
    }

    /// <summary>Follows a failed request.</summary>
    [KernelFunction("trace"), Description("Follows a failed request through the services by its request id and names the service that failed first.")]
    public string Trace([Description("The request id; leave out for a typical failed request.")] string? requestId = null)
    {
        var path = string.IsNullOrWhiteSpace(requestId) ? Typical() : RequestPath.Of(_index.Value, requestId.Trim());
        if (path is null)
        {
            return string.IsNullOrWhiteSpace(requestId) ? "No request failed." : $"No record names request {Citations.Quoted(requestId)}.";
        }

        var hops = path.Hops.Select(h => Invariant($"{h.Service}{(h.Failed ? " FAILED" : "")}{(h.DurationMs is { } ms ? $" {ms:0} ms" : "")} ({h.At})"));
        var blame = string.Join(", ", _suspects.Value.Where(s => s.Blame > 0.05).OrderByDescending(s => s.Blame).Select(s => Invariant($"{s.Service} {100 * s.Blame:0} %")));
        return $"{path.RequestId}: {string.Join(" -> ", hops)}\nFirst failing hop of all failed requests: {blame}";
    }

    /// <summary>New and changed kinds of message.</summary>
    [KernelFunction("anomalies"), Description("Ranks the messages whose rate changed most when the incident began, with counts before and after.")]
    public string Anomalies([Description("Only this service; leave out for all.")] string? service = null)
    {
        if (_onset.Value is not { } onset)
        {
            return "Nothing got worse.";
        }

        var ranked = Anomaly.Rank(_index.Value, onset.Time).Where(a => string.IsNullOrWhiteSpace(service) || a.Service.Equals(service, StringComparison.OrdinalIgnoreCase)).Take(Shown);
        return Lines(ranked.Select(a => Invariant($"{a.First} {a.Service}: {Cut(a.Template)} ({a.Before} before, {a.After} after)")));
    }

    /// <summary>What changed shortly before.</summary>
    [KernelFunction("changes"), Description("Lists what was new in the logs shortly before the incident began: deployments, configuration, restarts, first warnings.")]
    public string Changes() => _onset.Value is not { } onset ? "Nothing got worse." : Lines(NewBefore(onset).Take(10).Select(a => Invariant($"{a.FirstTime:HH:mm:ss} {a.First} {a.Service}: {Cut(FirstText(a))}")));

    /// <summary>What fails since then.</summary>
    [KernelFunction("symptoms"), Description("Lists the errors that appear most since the incident began, with how often and where.")]
    public string Symptoms() => _onset.Value is not { } onset ? "Nothing got worse." : Lines(Anomaly.Rank(_index.Value, onset.Time)
        .Where(a => a.Severity >= Severity.Warning && a.After > 0 && a.Bits > 4).OrderByDescending(a => a.Bits).Take(5)
        .Select(a => Invariant($"{a.First} {a.Service}: {Cut(FirstText(a))} ({a.After} times)")));

    /// <summary>The ranking of services.</summary>
    [KernelFunction("suspects"), Description("Ranks the services by how likely the incident started in them, from request flow, delays and changes.")]
    public string Suspects() => Lines(_suspects.Value.Take(5).Select(s => Invariant(
        $"{s.Service} {100 * s.Score:0} %: blamed by {100 * s.Blame:0} % of failed requests, {100 * s.Delay:0} % of the added time, {100 * s.Change:0} % of what is new{(s.Evidence.Count > 0 ? $", see {s.Evidence[0].First}" : "")}")));

    /// <summary>Lines around a place.</summary>
    [KernelFunction("lines"), Description("Shows the lines around a place in a log file.")]
    public string Around(
        [Description("The file.")] string file,
        [Description("The line number.")] int line,
        [Description("How many lines before and after, 0 to 20.")] int around = 2)
    {
        around = Math.Clamp(around, 0, 20);
        var first = Math.Max(1, line - around);
        return Lines(_reader.Lines(file, first, (2 * around) + 1).Select(l => $"{file}:{l.Line} {Citations.Quoted(l.Text)}"));
    }

    /// <summary>The options of the team's decision.</summary>
    [KernelFunction("hypotheses"), Description("Gives the services that the incident may have started in as JSON, each with what speaks for it and its log prior.")]
    public string Hypotheses([Description("How many at most.")] int max = 4)
    {
        var options = _suspects.Value.Take(Math.Clamp(max, 1, 20)).Select(s => new Dictionary<string, object>
        {
            ["name"] = s.Service,
            ["description"] = Case(s),
            ["logPrior"] = Math.Round(Math.Log(Math.Max(1e-3, s.Score)), 4),
        });
        return JsonSerializer.Serialize(options, Json);
    }

    /// <summary>The lines that speak against a service.</summary>
    [KernelFunction("evidence"), Description("Quotes the lines that speak for a service as the place where the incident started, as a list with file and line.")]
    public string Evidence([Description("The service.")] string service) =>
        Of(service) is { } suspect ? Lines(Told(suspect).Select(Quote)) : "There is no such service.";

    /// <summary>The part of a report that cites.</summary>
    [KernelFunction("findings"), Description("Writes the part of a report that cites the evidence for the service that the team decided for.")]
    public string Findings([Description("The service that the team decided for.")] string decision)
    {
        if (_onset.Value is not { } onset || Of(decision) is not { } suspect)
        {
            return "";
        }

        var text = new StringBuilder();
        text.AppendLine(Invariant($"It got worse at {onset.Time:yyyy-MM-dd HH:mm:ss}Z: {onset.Before:0.#} bad records a minute before, {onset.After:0.#} after."));
        text.AppendLine(Invariant($"\n### What {suspect.Service} wrote\n"));
        text.AppendLine(Evidence(suspect.Service));
        var elsewhere = Anomaly.Rank(_index.Value, onset.Time).Where(a => a.Service != suspect.Service && a.Severity == Severity.Error && a.Bits > 4).Take(5).ToList();
        if (elsewhere.Count > 0)
        {
            text.AppendLine("\n### What failed elsewhere\n");
            text.AppendLine(Lines(elsewhere.Select(Quote)));
        }

        var before = NewBefore(onset).Where(a => a.Service != suspect.Service).Take(4).ToList();
        if (before.Count > 0)
        {
            text.AppendLine("\n### What else was new shortly before\n");
            text.AppendLine(Lines(before.Select(Quote)));
        }

        text.AppendLine("\n### What the counts say\n");
        foreach (var s in _suspects.Value.Take(4))
        {
            text.AppendLine(Invariant($"- {s.Service} {100 * s.Score:0} %: first failing hop of {100 * s.Blame:0} % of the failed requests, {100 * s.Delay:0} % of the added time, {100 * s.Change:0} % of what is new"));
        }

        return text.ToString();
    }

    /// <summary>Checks a report.</summary>
    [KernelFunction("check"), Description("Checks that every file and line that a report cites exists and says what is quoted. Gives nothing when all is well.")]
    public string Check([Description("The report's path, in the run's output folder.")] string path)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(_outputFolder ?? throw new InvalidOperationException("There is no run whose report could be checked.")));
        var file = Path.GetFullPath(path, root);
        return file.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? string.Join(' ', Citations.Problems(File.ReadAllText(file), _reader).Take(Shown))
            : throw new UnauthorizedAccessException($"'{path}' is not in the run's output folder.");
    }

    /// <summary>What is new around the onset, in the words of a hypothesis.</summary>
    private string Case(Suspect suspect)
    {
        var told = Told(suspect).Take(3).Select(a => Cut(FirstText(a)).TrimEnd('.'));
        return string.Join("; ", told) is { Length: > 0 } text ? text : "It wrote nothing new.";
    }

    private Suspect? Of(string? service) =>
        _suspects.Value.FirstOrDefault(s => s.Service.Equals(service?.Trim(), StringComparison.OrdinalIgnoreCase));

    private IEnumerable<Anomaly> Told(Suspect suspect)
    {
        var onset = _onset.Value!.Time;
        // What came new before the harm tells the cause, what came with it the mechanism.
        return suspect.Evidence.Concat(NewBefore(_onset.Value).Where(a => a.Service == suspect.Service)).DistinctBy(a => a.First)
            .OrderByDescending(a => a.IsNew && !a.InRequests && a.FirstTime <= onset.AddSeconds(30))
            .ThenByDescending(a => Math.Abs(a.Bits) + (a.IsNew ? 6 : 0)).Take(Shown);
    }

    private IEnumerable<Anomaly> NewBefore(Onset onset) => Anomaly.Rank(_index.Value, onset.Time)
        .Where(a => a.IsNew && !a.InRequests && a.FirstTime <= onset.Time.AddSeconds(30)).OrderByDescending(a => a.FirstTime);

    private RequestPath? Typical()
    {
        if (_onset.Value is not { } onset || _suspects.Value.MaxBy(s => s.Blame) is not { } blamed)
        {
            return null;
        }

        var failed = _index.Value.RequestIds.Select(id => RequestPath.Of(_index.Value, id)!).Where(p => p.FirstFailure is not null && p.Hops[0].First >= onset.Time);
        return failed.OrderByDescending(p => p.FirstFailure == blamed.Service).ThenByDescending(p => p.Hops.Count).ThenBy(p => p.Hops[0].First).FirstOrDefault();
    }

    private string Quote(Anomaly anomaly) => $"- `{anomaly.First}` `{Text(anomaly.First)}`";

    private string Text(Citation at) => Citations.Quoted(_reader.Lines(at.File, at.Line, 1).Select(l => l.Text).FirstOrDefault() ?? "");

    /// <summary>The message of a kind's first record, values included.</summary>
    private string FirstText(Anomaly anomaly)
    {
        var record = LineParser.Parse(Text(anomaly.First), _index.Value.Start.Year);
        return record.Message.Length > 0 ? record.Message : anomaly.Template;
    }

    private static string Cut(string text) => text.Length > 110 ? text[..110] + "…" : text;

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines) is { Length: > 0 } text ? text : "There is nothing to show.";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
