using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.Console.Terminal;

/// <summary>
/// Breaks lines between words only. A word that is longer than a line, such as a path, stays whole, and so does a command
/// between backticks, so that it can be copied.
/// </summary>
internal static partial class WordWrap
{
    /// <summary>Breaks a text that begins at a column and goes on below it.</summary>
    /// <param name="text">Words between spaces.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="indent">Columns before the text, in the first line and in those that follow.</param>
    /// <returns>The lines; the first has no indent, since something else stands before it.</returns>
    public static string Hang(string text, int width, int indent)
    {
        var wrapped = new StringBuilder();
        var column = indent;
        foreach (Match match in Word().Matches(text))
        {
            var word = match.Value;
            if (column > indent && column + 1 + word.Length > width)
            {
                wrapped.Append('\n').Append(' ', indent);
                column = indent;
            }
            else if (column > indent)
            {
                wrapped.Append(' ');
                column++;
            }

            wrapped.Append(word);
            column += word.Length;
        }

        return wrapped.ToString();
    }

    [GeneratedRegex("(?:`[^`]*`|[^ ])+")]
    private static partial Regex Word();
}
