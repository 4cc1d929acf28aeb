using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Console.Terminal;

/// <summary>
/// All terminal input and output. With <c>--json</c> standard output carries only JSON lines, and what is meant for
/// people goes to standard error.
/// </summary>
internal interface IInteraction
{
    /// <summary>Whether standard output is for a machine.</summary>
    bool Json { get; }

    /// <summary>Whether a live display (bars, spinners) can be drawn.</summary>
    bool Live { get; }

    /// <summary>Whether a person can be asked.</summary>
    bool Interactive { get; }

    /// <summary>Columns to lay out for.</summary>
    int Width { get; }

    /// <summary>Writes text as it is, terminal escapes removed; for what models, tools and files say.</summary>
    void Write(string text);

    /// <summary>Writes text as it is and ends the line.</summary>
    void WriteLine(string text = "");

    /// <summary>Writes markup of our own; interpolated values are escaped.</summary>
    void Markup(FormattableString markup);

    /// <summary>Writes markup of our own and ends the line.</summary>
    void MarkupLine(FormattableString markup);

    /// <summary>Writes a table, tree or chart.</summary>
    void Render(IRenderable renderable);

    /// <summary>Writes one JSON line to standard output; only with <see cref="Json"/>.</summary>
    void WriteJson<T>(T value);

    /// <summary>Writes one line that is JSON already.</summary>
    void WriteJsonLine(string json);

    /// <summary>Reports an error with its way out to standard error.</summary>
    void Error(string message, string? remedy = null);

    /// <summary>Tells on standard error what is amiss, though the work goes on.</summary>
    void Warning(string message);

    /// <summary>Shows a bar while work goes on; without a live display, a line now and then.</summary>
    Task<T> ProgressAsync<T>(string title, Func<IProgress<ProgressReport>, Task<T>> work);

    /// <summary>Asks a person to pick one; the first is the default.</summary>
    /// <exception cref="InvalidOperationException">Nobody can be asked.</exception>
    string Ask(string question, params IReadOnlyList<string> answers);

    /// <summary>Reads a line that a person types; null at the end of input.</summary>
    string? ReadLine(string prompt);
}

/// <summary>How far work has come.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, or null where nobody knows.</param>
/// <param name="Unit">What is counted, e.g. <c>MB</c>.</param>
/// <param name="Doing">What is done now; shown in place of the figures.</param>
internal sealed record ProgressReport(double Done, double? Total, string Unit = "", string? Doing = null);
