using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>A number that a record reports about its service, such as the depth of a queue.</summary>
/// <param name="Name">Its key, or its place in the message.</param>
/// <param name="Value">The number.</param>
public readonly partial record struct ReportedValue(string Name, double Value)
{
    private const int Maximum = 8;

    // These change from record to record and mean nothing.
    private static readonly HashSet<string> Skipped = new(StringComparer.OrdinalIgnoreCase)
    {
        "time", "timestamp", "ts", "t", "level", "severity", "pid", "tid", "port", "id", "line", "thread",
    };

    /// <summary>The numbers with a key, and those of the message; null when there are none.</summary>
    internal static IReadOnlyList<ReportedValue>? In(LogRecord record)
    {
        List<ReportedValue>? values = null;
        foreach (Match pair in Pair().Matches(record.Text))
        {
            if (!Skipped.Contains(pair.Groups[1].Value))
            {
                Add(pair.Groups[1].Value, pair.Groups[2].Value);
            }
        }

        var place = 0;
        foreach (Match number in Number().Matches(record.Message))
        {
            Add($"#{place++}", number.Value);
        }

        return values;

        void Add(string name, string text)
        {
            if ((values ??= []).Count < Maximum && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            {
                values.Add(new(name, value));
            }
        }
    }

    [GeneratedRegex("""([A-Za-z][\w.]*)"?[=:](-?\d{1,12}(?:\.\d+)?)(?![\w:.-])""")]
    private static partial Regex Pair();

    [GeneratedRegex(@"(?<![\w.=:-])\d{1,9}(?:\.\d+)?(?![\w:.-])")]
    private static partial Regex Number();
}
