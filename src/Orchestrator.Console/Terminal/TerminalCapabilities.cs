using System.Collections;

namespace Orchestrator.Console.Terminal;

/// <summary>The one place that knows what the host's terminal can do.</summary>
internal sealed record TerminalCapabilities
{
    /// <summary>Whether colours and cursor movement may be written to standard output.</summary>
    public required bool Ansi { get; init; }

    /// <summary>Whether they may be written to standard error.</summary>
    public bool ErrorAnsi { get; init; }

    /// <summary>Whether a person can be asked.</summary>
    public required bool Interactive { get; init; }

    /// <summary>Columns of the terminal; 80 where there is none.</summary>
    public required int Width { get; init; }

    /// <summary>Reads the environment: NO_COLOR, CI, TERM, COLUMNS, and what is redirected.</summary>
    public static TerminalCapabilities Detect(bool noColor, bool json)
    {
        var environment = Environment.GetEnvironmentVariables();
        var outputRedirected = System.Console.IsOutputRedirected;
        var ci = Has(environment, "CI");
        var colored = !noColor && !json && !ci && !Has(environment, "NO_COLOR") && (string?)environment["TERM"] != "dumb";
        if (!colored)
        {
            // What writes without escapes resets the console's colours all the same, which .NET does by an escape unless told so.
            Environment.SetEnvironmentVariable("NO_COLOR", "1");
        }

        return new TerminalCapabilities
        {
            Ansi = colored && !outputRedirected,
            ErrorAnsi = colored && !System.Console.IsErrorRedirected,
            Interactive = !json && !ci && !outputRedirected && !System.Console.IsInputRedirected,
            Width = int.TryParse((string?)environment["COLUMNS"], out var columns) && columns > 0 ? columns
                : outputRedirected ? 100
                : Math.Max(20, System.Console.WindowWidth),
        };
    }

    private static bool Has(IDictionary environment, string name) =>
        !string.IsNullOrEmpty((string?)environment[name]);
}
