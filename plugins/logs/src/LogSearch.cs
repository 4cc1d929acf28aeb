using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>What is searched for; all conditions hold at once.</summary>
public sealed record LogSearch
{
    /// <summary>Plain text, or a regular expression where <see cref="IsRegex"/>; null for every record. Case is ignored.</summary>
    public string? Text { get; init; }

    /// <summary>Whether the text is a regular expression.</summary>
    public bool IsRegex { get; init; }

    /// <summary>Only this service; null for all.</summary>
    public string? Service { get; init; }

    /// <summary>Only records at least this bad.</summary>
    public Severity AtLeast { get; init; } = Severity.Debug;

    /// <summary>Not before; null for the start.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Not after; null for the end.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>How many records at most.</summary>
    public int Max { get; init; } = 20;

    /// <summary>Searches, file after file, until enough was found.</summary>
    /// <param name="reader">The folder.</param>
    /// <param name="cancellation">Stops between two lines.</param>
    /// <exception cref="ArgumentException">The regular expression is none.</exception>
    public IReadOnlyList<LogRecord> Find(LogReader reader, CancellationToken cancellation = default)
    {
        // Without backtracking no pattern takes longer than the text is long.
        var regex = IsRegex && Text is not null ? new Regex(Text, RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant) : null;
        return [.. reader.Records(cancellation).Where(r =>
            r.Severity >= AtLeast
            && (Service is null || r.Service.Equals(Service, StringComparison.OrdinalIgnoreCase))
            && (From is null || r.Time >= From) && (To is null || r.Time <= To)
            && (Text is null || (regex is not null ? regex.IsMatch(r.Text) || regex.IsMatch(r.Message)
                : r.Text.Contains(Text, StringComparison.OrdinalIgnoreCase) || r.Message.Contains(Text, StringComparison.OrdinalIgnoreCase)))).Take(Math.Max(0, Max))];
    }
}
