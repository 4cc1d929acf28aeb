using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Incident.Generator.Formats;

/// <summary>A Node service: pino's JSON lines, time in milliseconds since 1970.</summary>
internal sealed class Pino : ILogFormat
{
    public string Render(Saying s)
    {
        var level = s.Level switch { Level.Debug => 20, Level.Info => 30, Level.Warn => 40, _ => 50 };
        var line = new JsonObject { ["level"] = level, ["time"] = s.Time.ToUnixTimeMilliseconds(), ["pid"] = 17, ["hostname"] = s.Host };
        if (s.RequestId is not null)
        {
            line["reqId"] = s.RequestId;
        }

        line.Put(s.Fields);
        if (s.Trace.Count > 0)
        {
            line["err"] = new JsonObject { ["type"] = "Error", ["stack"] = string.Join('\n', s.Trace) };
        }

        line["msg"] = s.Message;
        return line.Text();
    }
}

/// <summary>A .NET service: Serilog's compact JSON.</summary>
internal sealed class SerilogCompact : ILogFormat
{
    public string Render(Saying s)
    {
        var line = new JsonObject { ["@t"] = s.Time.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", null), ["@m"] = s.Message };
        if (s.Level != Level.Info)
        {
            line["@l"] = s.Level switch { Level.Debug => "Debug", Level.Warn => "Warning", _ => "Error" };
        }

        if (s.Trace.Count > 0)
        {
            line["@x"] = string.Join('\n', s.Trace);
        }

        line["SourceContext"] = s.Source;
        line["MachineName"] = s.Host;
        if (s.RequestId is not null)
        {
            line["CorrelationId"] = s.RequestId;
        }

        line.Put(s.Fields);
        return line.Text();
    }
}

internal static class Json
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Put(this JsonObject line, IReadOnlyList<(string Key, object Value)> fields)
    {
        foreach (var (key, value) in fields)
        {
            line[key] = value switch { int i => i, long l => l, double d => Math.Round(d, 3), bool b => b, _ => value.Invariant() };
        }
    }

    public static string Text(this JsonObject line) => line.ToJsonString(Compact);
}
