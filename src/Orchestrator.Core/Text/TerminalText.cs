using System.Text;

namespace Orchestrator.Core.Text;

/// <summary>Makes text from models, tools and files safe to write to a terminal.</summary>
public static class TerminalText
{
    /// <summary>
    /// Removes what a terminal would obey: escape sequences (ECMA-48), control characters other than tab and line feed,
    /// and Unicode's bidirectional overrides, with which text can be shown in another order than it has.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <returns>The text without them; the same instance where there were none.</returns>
    public static string Sanitize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var first = FirstUnsafe(text);
        if (first < 0)
        {
            return text;
        }

        var clean = new StringBuilder(text, 0, first, text.Length);
        for (var i = first; i < text.Length; i++)
        {
            if (text[i] is '\u001b' or '\u009b' or '\u009d' or '\u0090')
            {
                i = EndOfSequence(text, i);
            }
            else if (!IsUnsafe(text[i]))
            {
                clean.Append(text[i]);
            }
        }

        return clean.ToString();
    }

    private static int FirstUnsafe(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsUnsafe(text[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static bool IsUnsafe(char c) =>
        c is (< ' ' and not '\t' and not '\n')
            or (>= '\u007f' and <= '\u009f')
            or (>= '\u202a' and <= '\u202e')
            or (>= '\u2066' and <= '\u2069')
            or '\u200e' or '\u200f' or '\u061c';

    private static int EndOfSequence(string text, int start)
    {
        var (kind, i) = text[start] switch
        {
            '\u009b' => ('[', start),
            '\u009d' or '\u0090' => (']', start),
            _ => start + 1 < text.Length ? (text[start + 1], start + 1) : ('\0', start),
        };
        switch (kind)
        {
            case '[':
                // Parameters and intermediates, then one final byte.
                while (i + 1 < text.Length && text[i + 1] is >= ' ' and <= '?')
                {
                    i++;
                }

                return i + 1 < text.Length && text[i + 1] is >= '@' and <= '~' ? i + 1 : i;
            case ']' or 'P' or 'X' or '^' or '_':
                // A string up to its terminator. An open one ends with the line, so that it can't swallow the rest.
                while (i + 1 < text.Length && text[i + 1] is not ('\u0007' or '\u009c' or '\u001b' or '\n'))
                {
                    i++;
                }

                if (i + 1 < text.Length && text[i + 1] == '\u001b' && i + 2 < text.Length && text[i + 2] == '\\')
                {
                    return i + 2;
                }

                return i + 1 < text.Length && text[i + 1] is '\u0007' or '\u009c' ? i + 1 : i;
            case >= ' ' and <= '~':
                return i;
            default:
                return start;
        }
    }
}
