namespace Orchestrator.Plugins.Logs;

/// <summary>Severity of a record, the same for all formats.</summary>
public enum Severity
{
    /// <summary>Detail for developers.</summary>
    Debug,

    /// <summary>Normal work.</summary>
    Info,

    /// <summary>Something to look at.</summary>
    Warning,

    /// <summary>Something failed; an access log's status of 500 or more too.</summary>
    Error,
}

/// <summary>A place in a log file, as it is cited.</summary>
/// <param name="File">File name relative to the folder, with forward slashes.</param>
/// <param name="Line">Line number, from 1.</param>
public readonly record struct Citation(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}:{Line}";
}

/// <summary>One record of a log: a line with the lines that continue it, such as a stack trace.</summary>
/// <param name="At">Where it starts.</param>
/// <param name="Lines">How many lines it has.</param>
/// <param name="Time">When, in UTC; null when no time could be read.</param>
/// <param name="Severity">How bad.</param>
/// <param name="Service">Who wrote it, from the record or else from the file's name.</param>
/// <param name="RequestId">The request that it belongs to; null when it names none.</param>
/// <param name="DurationMs">How long something took, in milliseconds; null when it does not say.</param>
/// <param name="Message">What it says, without time, level and fields.</param>
/// <param name="Text">Its first line as written, cut off at <see cref="LogReader.MaximumLine"/> characters.</param>
public sealed record LogRecord(
    Citation At, int Lines, DateTimeOffset? Time, Severity Severity, string Service,
    string? RequestId, double? DurationMs, string Message, string Text);
