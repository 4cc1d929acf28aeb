using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>What one line says, in whichever of the usual formats it is written.</summary>
internal readonly record struct ParsedLine(
    DateTimeOffset? Time, Severity? Severity, string? Service, string? RequestId, double? DurationMs, string Message);

/// <summary>
/// Reads JSON lines, logfmt, access logs, syslog and the common text layouts without being told which it is. A line without
/// a time continues the record before it.
/// </summary>
internal static partial class LineParser
{
    private static readonly string[] TimeKeys = ["time", "timestamp", "@timestamp", "@t", "ts", "t"];
    private static readonly string[] LevelKeys = ["level", "@l", "lvl", "severity", "log.level"];
    private static readonly string[] MessageKeys = ["msg", "message", "@m", "@mt", "event"];
    private static readonly string[] ServiceKeys = ["service", "service.name", "app", "application", "hostname", "host"];
    private static readonly string[] RequestKeys = ["request_id", "requestid", "req_id", "reqid", "rid", "trace_id", "traceid", "correlationid", "correlation_id", "x-request-id"];
    private static readonly string[] DurationKeys = ["duration_ms", "durationms", "elapsed", "elapsed_ms", "took_ms", "latency_ms", "duration", "ms"];

    /// <param name="line">One line without its end.</param>
    /// <param name="year">The year for formats that name none.</param>
    public static ParsedLine Parse(string line, int year)
    {
        if (line.Length > 1 && line[0] == '{' && TryJson(line) is { } json)
        {
            return json;
        }

        return Logfmt().Match(line) is { Success: true } ? Pairs(line) : Plain(line, year);
    }

    private static ParsedLine? TryJson(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                fields[property.Name] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
            }

            // Serilog's compact format leaves the level out when it is information.
            return FromFields(fields, fields.ContainsKey("@t") ? Logs.Severity.Info : null);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ParsedLine Pairs(string line)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match pair in Pair().Matches(line))
        {
            fields.TryAdd(pair.Groups[1].Value, pair.Groups[2].Success ? pair.Groups[2].Value.Replace("\\\"", "\"", StringComparison.Ordinal) : pair.Groups[3].Value);
        }

        return FromFields(fields, null);
    }

    private static ParsedLine FromFields(Dictionary<string, string> fields, Severity? usual) => new(
        First(fields, TimeKeys) is { } time ? FieldTime(time) : null,
        First(fields, LevelKeys) is { } level ? Level(level) : usual,
        First(fields, ServiceKeys) is { } service ? ServiceOf(service) : null,
        First(fields, RequestKeys),
        First(fields, DurationKeys) is { } ms && double.TryParse(ms, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        First(fields, MessageKeys) ?? "");

    private static string? First(Dictionary<string, string> fields, string[] keys)
    {
        foreach (var key in keys)
        {
            if (fields.TryGetValue(key, out var value))
            {
                return value;
            }
        }

        return null;
    }

    private static ParsedLine Plain(string line, int year)
    {
        var time = PlainTime(line, year, out var rest, out var host);
        var severity = LevelWord().Match(line, 0, Math.Min(line.Length, 120)) is { Success: true } word ? Level(word.Groups[1].Value) : (Severity?)null;
        if (Access().Match(line) is { Success: true } access)
        {
            severity = access.Groups[2].Value[0] >= '5' ? Logs.Severity.Error : Logs.Severity.Info;
            rest = $"{access.Groups[1].Value} {access.Groups[2].Value}";
        }
        else if (RedisMark().Match(line) is { Success: true } mark)
        {
            severity = mark.Groups[1].Value switch { "#" => Logs.Severity.Warning, "." or "-" => Logs.Severity.Debug, _ => Logs.Severity.Info };
        }

        var id = NamedId().Match(line) is { Success: true } named ? named.Groups[1].Value
            : BracketId().Match(line) is { Success: true } bracket ? bracket.Groups[1].Value : null;
        return new ParsedLine(time, severity, host, id, Duration(line), Message(rest));
    }

    private static double? Duration(string line)
    {
        if (InMilliseconds().Match(line) is { Success: true } ms)
        {
            return double.Parse(ms.Groups[1].Value, CultureInfo.InvariantCulture);
        }

        return InSeconds().Match(line) is { Success: true } s ? 1000 * double.Parse(s.Groups[1].Value, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>What follows the last of the usual marks before a message.</summary>
    private static string Message(string rest)
    {
        rest = Prefix().Replace(rest, "", 1);
        return rest.Trim();
    }

    private static DateTimeOffset? PlainTime(string line, int year, out string rest, out string? host)
    {
        host = null;
        var head = line.Length > 96 ? line[..96] : line;
        if (Iso().Match(head) is { Success: true } iso)
        {
            rest = line[(iso.Index + iso.Length)..];
            return FieldTime(iso.Value.Replace(',', '.').Replace(" UTC", "Z", StringComparison.Ordinal));
        }

        if (ClfTime().Match(head) is { Success: true } clf)
        {
            rest = line;
            return Exact(clf.Groups[1].Value, "dd/MMM/yyyy:HH:mm:ss zzz");
        }

        if (DayMonth().Match(head) is { Success: true } day)
        {
            rest = line[(day.Index + day.Length)..];
            return Exact(day.Value, day.Value.Contains('.', StringComparison.Ordinal) ? "dd MMM yyyy HH:mm:ss.fff" : "dd MMM yyyy HH:mm:ss");
        }

        if (SyslogHead().Match(head) is { Success: true } syslog)
        {
            host = ServiceOf(syslog.Groups[2].Value);
            rest = line[syslog.Length..];
            return Exact($"{year} {Spaces().Replace(syslog.Groups[1].Value, " ")}", "yyyy MMM d HH:mm:ss");
        }

        rest = line;
        return null;
    }

    private static DateTimeOffset? Exact(string text, string format) =>
        DateTimeOffset.TryParseExact(text, format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    private static DateTimeOffset? FieldTime(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            // Milliseconds since 1970 have 13 digits until the year 2286, seconds 10.
            return number is > 0 and < 4e12 ? DateTimeOffset.UnixEpoch.AddMilliseconds(number > 1e11 ? number : number * 1000) : null;
        }

        return DateTimeOffset.TryParse(text.Replace('/', '-'), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    internal static Severity? Level(string word)
    {
        if (int.TryParse(word, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number))
        {
            return number switch { >= 50 => Logs.Severity.Error, >= 40 => Logs.Severity.Warning, >= 30 => Logs.Severity.Info, _ => Logs.Severity.Debug };
        }

        return word.ToUpperInvariant() switch
        {
            "TRACE" or "DEBUG" or "VERBOSE" => Logs.Severity.Debug,
            "INFO" or "INFORMATION" or "NOTICE" or "LOG" => Logs.Severity.Info,
            "WARN" or "WARNING" => Logs.Severity.Warning,
            "ERROR" or "ERR" or "FATAL" or "CRITICAL" or "CRIT" or "PANIC" or "SEVERE" or "ALERT" or "EMERG" => Logs.Severity.Error,
            _ => null,
        };
    }

    /// <summary>The service of a host name: the name without the number of the machine.</summary>
    private static string ServiceOf(string host) => HostNumber().Replace(host, "");

    [GeneratedRegex(@"^(?:time|ts|level|lvl|t)=\S")]
    private static partial Regex Logfmt();

    [GeneratedRegex("""([\w.@-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))""")]
    private static partial Regex Pair();

    [GeneratedRegex(@"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| UTC|[+-]\d\d:?\d\d)?")]
    private static partial Regex Iso();

    [GeneratedRegex(@"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")]
    private static partial Regex ClfTime();

    [GeneratedRegex(@"\d\d \w{3} \d{4} \d\d:\d\d:\d\d(?:\.\d{3})?")]
    private static partial Regex DayMonth();

    [GeneratedRegex(@"^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+) ")]
    private static partial Regex SyslogHead();

    [GeneratedRegex(@" +")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"(?<![\w.])(TRACE|DEBUG|INFO|NOTICE|LOG|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC|SEVERE|(?<=\[)(?:debug|info|notice|warn|error|crit|alert|emerg)(?=\]))(?![\w.])")]
    private static partial Regex LevelWord();

    [GeneratedRegex("\"([A-Z]{3,7} [^\"]*?)(?: HTTP/[\\d.]+)?\" ([1-5]\\d\\d) ")]
    private static partial Regex Access();

    [GeneratedRegex(@"^\d+:[A-Z] \d\d \w{3} \d{4} \S+ ([.*#-]) ")]
    private static partial Regex RedisMark();

    [GeneratedRegex("""\b(?:rid|request[_-]?id|req[_-]?id|trace[_-]?id|correlation[_-]?id)["']?\s*[:=]\s*"?([\w-]{6,64})""", RegexOptions.IgnoreCase)]
    private static partial Regex NamedId();

    [GeneratedRegex(@"[\[,]([0-9a-f]{8}(?:[0-9a-f-]{0,28}))\]")]
    private static partial Regex BracketId();

    [GeneratedRegex(@"(?<![\w.])(\d{1,9}(?:\.\d{1,6})?) ?ms\b")]
    private static partial Regex InMilliseconds();

    [GeneratedRegex(@"\b(?:rt|request_time|duration|elapsed|took)[=:] ?(\d{1,6}(?:\.\d{1,6})?)(?: ?s)?\b")]
    private static partial Regex InSeconds();

    [GeneratedRegex(@"^[\s\]]*(?:\[[^\]]*\]\s*)?(?:\S+@\S+\s+)?(?:TRACE|DEBUG|INFO|NOTICE|LOG|WARN(?:ING)?|ERROR|FATAL|PANIC|\[\w+\])?:?\s*(?:\d+#\d+:\s*|[.*#-]\s+)?(?:\[[^\]]*\].{0,80}?\s:\s+)?")]
    private static partial Regex Prefix();

    [GeneratedRegex(@"-\d+$")]
    private static partial Regex HostNumber();
}
