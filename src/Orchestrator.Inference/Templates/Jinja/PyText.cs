using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's view of text: a sequence of code points, with its own idea of white space and of what can be printed.</summary>
internal static class PyText
{
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!IsSpace(c))
            {
                return false;
            }
        }

        return true;
    }

    public static ReadOnlySpan<char> TrimEnd(ReadOnlySpan<char> text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[..end];
    }

    public static ReadOnlySpan<char> TrimStart(ReadOnlySpan<char> text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
        {
            start++;
        }

        return text[start..];
    }

    /// <summary>Whether a code point takes more than one char anywhere in the text.</summary>
    public static bool HasSurrogates(string text) => text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');

    public static int Length(string text)
    {
        if (!HasSurrogates(text))
        {
            return text.Length;
        }

        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1]))
            {
                count--;
                i++;
            }
        }

        return count;
    }

    /// <summary>The code points, each as a text of its own.</summary>
    public static IEnumerable<string> Characters(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                yield return text.Substring(i, 2);
                i++;
            }
            else
            {
                yield return char.ToString(text[i]);
            }
        }
    }

    /// <summary>The offset in chars of a code point.</summary>
    public static int Offset(string text, int index)
    {
        if (!HasSurrogates(text))
        {
            return Math.Min(index, text.Length);
        }

        var at = 0;
        for (; index > 0 && at < text.Length; index--)
        {
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        }

        return at;
    }

    /// <summary>Orders by code point; UTF-16 order differs above U+D7FF.</summary>
    public static int Compare(string a, string b)
    {
        var n = Math.Min(a.Length, b.Length);
        var same = a.AsSpan(0, n).CommonPrefixLength(b.AsSpan(0, n));
        if (same == n)
        {
            return a.Length.CompareTo(b.Length);
        }

        static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
        return Rank(a[same]).CompareTo(Rank(b[same]));
    }

    public static bool IsPrintable(Rune rune)
    {
        if (rune.Value < 0x7f)
        {
            return rune.Value >= 0x20;
        }

        return Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
    }

    /// <summary>The text as Python's <c>repr</c> writes it.</summary>
    public static string Repr(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var result = new StringBuilder(text.Length + 2).Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == quote || c == '\\')
            {
                result.Append('\\').Append(c);
            }
            else if (c is >= ' ' and < '\x7f')
            {
                result.Append(c);
            }
            else if (c is '\n' or '\r' or '\t')
            {
                result.Append(c switch { '\n' => "\\n", '\r' => "\\r", _ => "\\t" });
            }
            else if (!Rune.TryGetRuneAt(text, i, out var rune))
            {
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                if (IsPrintable(rune))
                {
                    result.Append(rune.ToString());
                }
                else
                {
                    result.Append(rune.Value <= 0xff ? $"\\x{rune.Value:x2}" : rune.Value <= 0xffff ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}");
                }

                i += rune.Utf16SequenceLength - 1;
            }
        }

        return result.Append(quote).ToString();
    }

    /// <summary>Upper case with the characters that become several.</summary>
    public static string Upper(string text)
    {
        var upper = text.ToUpperInvariant();
        return Ascii.IsValid(upper) ? upper : Expand(upper);
    }

    private static string Expand(string upper)
    {
        var result = new StringBuilder(upper.Length + 4);
        foreach (var c in upper)
        {
            var i = "ßŉǰΐΰևẖẗẘẙẚﬀﬁﬂﬃﬄﬅﬆﬓﬔﬕﬖﬗ".IndexOf(c, StringComparison.Ordinal);
            if (i < 0)
            {
                result.Append(c);
            }
            else
            {
                result.Append(Expansions[i]);
            }
        }

        return result.ToString();
    }

    private static readonly string[] Expansions =
    [
        "SS", "ʼN", "J̌", "Ϊ́", "Ϋ́", "ԵՒ", "H̱", "T̈", "W̊", "Y̊", "Aʾ", "FF", "FI", "FL", "FFI", "FFL", "ST", "ST",
        "ՄՆ", "ՄԵ", "ՄԻ", "ՎՆ", "ՄԽ",
    ];

    /// <summary>Lower case with the final sigma and the dotted capital I.</summary>
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        if (Ascii.IsValid(text) || (!text.Contains('Σ', StringComparison.Ordinal) && !text.Contains('İ', StringComparison.Ordinal)))
        {
            return lower;
        }

        var result = new StringBuilder(lower.Length + 2);
        for (var i = 0; i < text.Length; i++)
        {
            result.Append(text[i] switch
            {
                'İ' => "i̇",
                'Σ' when HasLetter(text, i, -1) && !HasLetter(text, i, 1) => "ς",
                _ => char.ToString(lower[i]),
            });
        }

        return result.ToString();
    }

    private static bool HasLetter(string text, int i, int step)
    {
        for (i += step; i >= 0 && i < text.Length; i += step)
        {
            if (char.IsLetter(text[i]))
            {
                return true;
            }

            if (char.GetUnicodeCategory(text[i]) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter)
                && text[i] is not ('\'' or '.' or ':' or '·' or '’'))
            {
                return false;
            }
        }

        return false;
    }

    public static string Capitalize(string text)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var first = text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
        var head = text[..first] == "ß" ? "Ss" : Upper(text[..first]);
        return head + Lower(text)[first..];
    }

    /// <summary>The lines, broken wherever Python's <c>splitlines</c> breaks.</summary>
    public static List<string> SplitLines(string text, bool keepEnds)
    {
        var lines = new List<string>();
        var start = 0;
        while (start < text.Length)
        {
            var rest = text.AsSpan(start).IndexOfAny("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");
            if (rest < 0)
            {
                lines.Add(text[start..]);
                break;
            }

            var end = start + rest;
            var next = text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2 : end + 1;
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }

        return lines;
    }

    public static string EscapeHtml(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);
}
