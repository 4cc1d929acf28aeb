using System.Globalization;

namespace Incident.Generator.Formats;

/// <summary>What an entry says, before a format gives it its shape.</summary>
internal sealed record Saying(
    DateTimeOffset Time,
    Level Level,
    string Host,
    string Source,
    string Message,
    string? RequestId,
    IReadOnlyList<string> Trace,
    IReadOnlyList<(string Key, object Value)> Fields);

/// <summary>How one service writes its log.</summary>
internal interface ILogFormat
{
    string Render(Saying saying);
}

internal static class Words
{
    public static string Invariant(this object value) => value switch
    {
        double number => number.ToString("0.###", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>Fields as text behind a message, for the formats that have no place for them.</summary>
    public static string Tail(this IReadOnlyList<(string Key, object Value)> fields) =>
        string.Concat(fields.Select(f => $" {f.Key}={f.Value.Invariant()}"));
}
