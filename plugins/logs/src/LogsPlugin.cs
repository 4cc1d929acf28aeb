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
    private readonly Lazy<Findings?> _findings;

    /// <summary>Reads the folder that the input <c>logs</c> names.</summary>
    /// <param name="context">The run's inputs.</param>
    public LogsPlugin(PluginContext context)
        : this(context.InputFolder("logs"), context.OutputFolder)
    {
    }

    internal LogsPlugin(string folder, string? outputFolder = null)
    {
        _outputFolder = outputFolder;
        _reader = new LogReader(folder);
        _index = new(() => LogIndex.Build(_reader));
        _onset = new(() => Onset.Find(_index.Value));
        _suspects = new(() => Suspect.Rank(_index.Value, _onset.Value?.Time));
        _findings = new(() => _onset.Value is { } onset ? new Findings(_index.Value, _reader, onset, _suspects.Value) : null);
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

        var hops = path.Hops.Select(h => Invariant($"{h.At} {h.Service}: {(h.Failed ? "FAILED" : "ok")}{(h.DurationMs is { } ms ? $" after {ms:0} ms" : "")}"));
        var blame = string.Join(", ", _suspects.Value.Where(s => s.FailedFirst > 0.05).OrderByDescending(s => s.FailedFirst).Select(s => Invariant($"{s.Service} {100 * s.FailedFirst:0} %")));
        return $"Request {path.RequestId}, {(path.FirstFailure is { } first ? $"failed first in {first}" : "not failed")}:\n{string.Join('\n', hops)}\nFirst failing service of all failed requests: {blame}";
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
    public string Changes() => _onset.Value is not { } onset ? "Nothing got worse." : Lines(NewBefore(onset).Take(8)
        .Select(a => Invariant($"{a.First} {a.Service}: {Cut(FirstText(a))} ({a.FirstTime:HH:mm:ss})")));

    /// <summary>What fails since then.</summary>
    [KernelFunction("symptoms"), Description("Lists the errors that appear most since the incident began, with how often and where.")]
    public string Symptoms() => _onset.Value is not { } onset ? "Nothing got worse." : Lines(Anomaly.Rank(_index.Value, onset.Time)
        .Where(a => a.Severity >= Severity.Warning && a.After > 0 && a.Bits > 4).OrderByDescending(a => a.Bits).Take(5)
        .Select(a => Invariant($"{a.First} {a.Service}: {Cut(FirstText(a))} ({a.After} times)")));

    /// <summary>The ranking of services.</summary>
    [KernelFunction("suspects"), Description("Ranks the services by how likely the incident started in them, from request flow, delays and changes.")]
    public string Suspects() => Lines(_suspects.Value.Take(5).Select(s => Invariant(
        $"{Place(s)}{s.Service}: {100 * s.Score:0} % likely; fails first in {100 * s.FailedFirst:0} % of failed requests, is named by {100 * s.Accused:0} % of their first errors, has {100 * s.Delay:0} % of the added time")));

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
        Of(service) is { } suspect && _findings.Value is { } found ? Lines(Told(suspect).Select(found.Quote)) : "There is no such service.";

    /// <summary>The part of a report that cites.</summary>
    [KernelFunction("findings"), Description("Writes the part of a report that cites the evidence for the service that the team decided for.")]
    public string Report([Description("The service that the team decided for.")] string decision) =>
        Of(decision) is { } suspect && _findings.Value is { } found ? found.Write(suspect) : "";

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

    /// <summary>What came new before the harm tells the cause, what came with it the mechanism.</summary>
    private IEnumerable<Anomaly> Told(Suspect suspect) => _findings.Value is not { } found ? []
        : found.Changes(suspect.Service).Concat(found.Since(suspect.Service)).DistinctBy(a => a.First).Take(Shown);

    /// <summary>What was new before the onset: changes first, then the rest, each nearest to it first.</summary>
    private IEnumerable<Anomaly> NewBefore(Onset onset) => Anomaly.Rank(_index.Value, onset.Time)
        .Where(a => a.IsNew && !a.InRequests && a.FirstTime <= onset.Time.AddSeconds(30))
        .OrderByDescending(a => ServiceSignals.IsChange(FirstText(a))).ThenByDescending(a => a.FirstTime);

    private string Place(Suspect suspect) => Told(suspect).FirstOrDefault() is { } first ? $"{first.First} " : "";

    private RequestPath? Typical()
    {
        if (_onset.Value is not { } onset || _suspects.Value.MaxBy(s => s.FailedFirst) is not { } blamed)
        {
            return null;
        }

        var failed = _index.Value.RequestIds.Select(id => RequestPath.Of(_index.Value, id)!).Where(p => p.FirstFailure is not null && p.Hops[0].First >= onset.Time);
        return failed.OrderByDescending(p => p.FirstFailure == blamed.Service).ThenByDescending(p => p.Hops.Count).ThenBy(p => p.Hops[0].First).FirstOrDefault();
    }

    private string FirstText(Anomaly anomaly) => _findings.Value!.FirstText(anomaly);

    private static string Cut(string text) => text.Length > 110 ? text[..110] + "…" : text;

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines) is { Length: > 0 } text ? text : "There is nothing to show.";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
