using System.Globalization;

namespace Incident.Generator.Formats;

/// <summary>A Go service: logfmt.</summary>
internal sealed class Logfmt(string service) : ILogFormat
{
    public string Render(Saying s)
    {
        var level = s.Level switch { Level.Debug => "debug", Level.Info => "info", Level.Warn => "warn", _ => "error" };
        var line = $"time={s.Time:yyyy-MM-ddTHH:mm:ss.fffZ} level={level} service={service} instance={s.Host} msg={Quote(s.Message)}";
        foreach (var (key, value) in s.Fields)
        {
            line += $" {key}={Quote(value.Invariant())}";
        }

        if (s.RequestId is not null)
        {
            line += $" request_id={s.RequestId}";
        }

        return s.Trace.Count == 0 ? line : line + $" stack={Quote(string.Join(" <- ", s.Trace.Select(t => t.Trim())))}";
    }

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(" \"=") ? '"' + text.Replace("\"", "\\\"", StringComparison.Ordinal) + '"' : text;
}

/// <summary>A Java service: Spring Boot's console pattern, stack traces on lines of their own.</summary>
internal sealed class Logback(string service) : ILogFormat
{
    public string Render(Saying s)
    {
        var level = s.Level switch { Level.Debug => "DEBUG", Level.Info => " INFO", Level.Warn => " WARN", _ => "ERROR" };
        var line = $"{s.Time:yyyy-MM-dd HH:mm:ss.fff} {level} [{service},{s.RequestId ?? ""}] 1 --- [{s.Host}] {s.Source,-38} : {s.Message}{s.Fields.Tail()}";
        return string.Join('\n', [line, .. s.Trace]);
    }
}

/// <summary>A Python service: the logging module, tracebacks on lines of their own.</summary>
internal sealed class PythonLogging : ILogFormat
{
    public string Render(Saying s)
    {
        var level = s.Level switch { Level.Debug => "DEBUG", Level.Info => "INFO", Level.Warn => "WARNING", _ => "ERROR" };
        var line = $"{s.Time.ToString("yyyy-MM-dd HH:mm:ss,fff", CultureInfo.InvariantCulture)} {level} {s.Source} [{s.RequestId ?? "-"}] {s.Host} {s.Message}{s.Fields.Tail()}";
        return s.Trace.Count == 0 ? line : string.Join('\n', [line, "Traceback (most recent call last):", .. s.Trace]);
    }
}

/// <summary>PostgreSQL's log with a prefix of time, process, user and database.</summary>
internal sealed class PostgresLog : ILogFormat
{
    public string Render(Saying s)
    {
        var level = s.Level switch { Level.Debug => "DEBUG", Level.Info => "LOG", Level.Warn => "WARNING", _ => "ERROR" };
        var process = s.Fields.FirstOrDefault(f => f.Key == "pid").Value ?? 61;
        var user = s.Source.Length == 0 ? "" : $"{s.Source}@shop ";
        var comment = s.RequestId is null ? "" : $" /* rid={s.RequestId} */";
        var prefix = $"{s.Time:yyyy-MM-dd HH:mm:ss.fff} UTC [{process}] {user}";
        var line = $"{prefix}{level}:  {s.Message}{comment}";
        return string.Join('\n', [line, .. s.Trace.Select(t => prefix + t)]);
    }
}

/// <summary>Redis' log.</summary>
internal sealed class RedisLog : ILogFormat
{
    public string Render(Saying s)
    {
        var mark = s.Level switch { Level.Debug => '.', Level.Info => '*', Level.Warn => '#', _ => '#' };
        return $"1:M {s.Time.ToString("dd MMM yyyy HH:mm:ss.fff", CultureInfo.InvariantCulture)} {mark} {s.Message}{s.Fields.Tail()}";
    }
}

/// <summary>The classic syslog line of RFC 3164, which names no year.</summary>
internal sealed class Syslog : ILogFormat
{
    public string Render(Saying s) =>
        $"{s.Time.ToString("MMM", CultureInfo.InvariantCulture)} {s.Time.Day,2} {s.Time:HH:mm:ss} {s.Host} {s.Source}: {s.Message}{s.Fields.Tail()}";
}

/// <summary>nginx: its access log and its error log on one stream, as a container writes them.</summary>
internal sealed class Nginx : ILogFormat
{
    public string Render(Saying s)
    {
        if (s.Source == "access")
        {
            var f = s.Fields.ToDictionary(x => x.Key, x => x.Value.Invariant());
            return $"{f["client"]} - - [{s.Time.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture)} +0000] \"{s.Message}\" {f["status"]} {f["bytes"]} \"-\" \"{f["agent"]}\" rt={f["rt"]} urt={f["rt"]} upstream={f["upstream"]} rid={s.RequestId}";
        }

        var level = s.Level switch { Level.Debug => "debug", Level.Info => "notice", Level.Warn => "warn", _ => "error" };
        var rid = s.RequestId is null ? "" : $", rid: {s.RequestId}";
        var tail = string.Concat(s.Fields.Select(x => $", {x.Key}: \"{x.Value.Invariant()}\""));
        return $"{s.Time.ToString("yyyy/MM/dd HH:mm:ss", CultureInfo.InvariantCulture)} [{level}] 31#31: {s.Message}{tail}{rid}";
    }
}
