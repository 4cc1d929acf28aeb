using System.Globalization;
using Orchestrator.Core.Text;

namespace Orchestrator.Console.Runs;

/// <summary>As much of a task as a person looks at; it may be a whole file that was piped in.</summary>
internal static class TaskText
{
    /// <summary>Its beginning, and its length where there is more.</summary>
    public static string Beginning(string task, int characters) => task.Length <= characters
        ? task
        : string.Create(CultureInfo.InvariantCulture, $"{Excerpt.Beginning(task, characters)} … ({task.Length:N0} characters)");

    /// <summary>Its beginning on one line, as wide as it looks.</summary>
    public static string OneLine(string task, int characters) =>
        TerminalText.Sanitize(Beginning(task, characters)).ReplaceLineEndings(" ").Replace('\t', ' ');
}
