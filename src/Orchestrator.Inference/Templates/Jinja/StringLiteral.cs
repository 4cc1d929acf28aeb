using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Reads string literals with Python's escapes.</summary>
internal static class StringLiteral
{
    /// <summary>Reads the literal whose quote is at this place; the end is -1 where it isn't closed.</summary>
    public static (string Value, int End) Read(string source, int at)
    {
        var quote = source[at];
        var i = at + 1;
        StringBuilder? text = null;
        while (i < source.Length && source[i] != quote)
        {
            if (source[i] != '\\')
            {
                text?.Append(source[i]);
                i++;
                continue;
            }

            text ??= new StringBuilder(source, at + 1, i - at - 1, 64);
            if (i + 1 >= source.Length)
            {
                return ("", -1);
            }

            i = ReadEscape(source, i + 1, text);
        }

        return i >= source.Length ? ("", -1) : (text?.ToString() ?? source[(at + 1)..i], i + 1);
    }

    /// <summary>Reads what follows a backslash, and returns where the text goes on.</summary>
    private static int ReadEscape(string source, int i, StringBuilder text)
    {
        var c = source[i];
        switch (c)
        {
            case '\n':
                return i + 1;
            case 'x':
                return ReadHex(source, i, 2, text);
            case 'u':
                return ReadHex(source, i, 4, text);
            case 'U':
                return ReadHex(source, i, 8, text);
            case >= '0' and <= '7':
                var value = 0;
                var end = i;
                while (end < source.Length && end < i + 3 && source[end] is >= '0' and <= '7')
                {
                    value = (value * 8) + source[end++] - '0';
                }

                text.Append((char)value);
                return end;
        }

        var simple = "\\'\"abfnrtv".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0)
        {
            text.Append("\\'\"\a\b\f\n\r\t\v"[simple]);
        }
        else if (c < 128)
        {
            text.Append('\\').Append(c);
        }
        else if (char.IsHighSurrogate(c) && i + 1 < source.Length)
        {
            // The reference first turns what isn't ASCII into an escape, whose backslash the one before then escapes.
            text.Append(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(c, source[i + 1]):x8}");
            return i + 2;
        }
        else
        {
            text.Append(c < 256 ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}");
        }

        return i + 1;
    }

    private static int ReadHex(string source, int i, int digits, StringBuilder text)
    {
        if (i + digits < source.Length + 0
            && uint.TryParse(source.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            && code <= 0x10FFFF)
        {
            text.Append(code <= 0xFFFF ? ((char)code).ToString() : char.ConvertFromUtf32((int)code));
            return i + 1 + digits;
        }

        text.Append('\\').Append(source[i]);
        return i + 1;
    }
}
