namespace Incident.Generator;

/// <summary>Severity of a log entry; each format writes it in its own words.</summary>
public enum Level
{
    Debug,
    Info,
    Warn,
    Error,
}
