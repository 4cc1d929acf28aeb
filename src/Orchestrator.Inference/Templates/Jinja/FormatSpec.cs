using System.Globalization;
using System.Numerics;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's format specifications: what follows the colon in <c>"{:&gt;8.2f}".format(x)</c>.</summary>
internal static class FormatSpec
{
    public static string Apply(RenderState state, object? value, string spec)
    {
        if (spec.Length == 0)
        {
            return Py.Str(state, value);
        }

        var parsed = Parse(spec);
        state.ChargeText((long)parsed.Width + (parsed.Precision ?? 0));
        if (Py.Text(value) is { } text)
        {
            if (parsed.Type is not ('\0' or 's'))
            {
                throw Unknown(parsed.Type, value);
            }

            text = parsed.Precision is { } max && max < PyText.Length(text) ? text[..PyText.Offset(text, max)] : text;
            return Align(text, "", parsed, '<');
        }

        if (!PyNumber.IsNumber(value) || (value is bool && parsed.Type == '\0'))
        {
            return value is bool b ? Align(b ? "1" : "0", "", parsed, '>')
                : throw TemplateFailure.Type($"unsupported format string passed to {Py.TypeName(value)}.__format__");
        }

        var isFloat = value is double || parsed.Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%';
        var (negative, digits) = isFloat ? FloatDigits(value!, parsed) : IntegerDigits(value!, parsed);
        var sign = negative ? "-" : parsed.Sign is '+' or ' ' ? parsed.Sign.ToString() : "";
        return Align(Group(digits, parsed, sign.Length), sign, parsed, '>');
    }

    /// <summary>The digits of a whole number, without sign.</summary>
    public static string Digits(BigInteger value, char kind, bool prefix, int precision)
    {
        var digits = kind switch
        {
            'x' or 'X' => value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0'),
            'o' => Radix(value, 8),
            'b' => Radix(value, 2),
            _ => value.ToString(CultureInfo.InvariantCulture),
        };
        digits = (digits.Length == 0 ? "0" : digits).PadLeft(precision, '0');
        digits = kind == 'X' ? digits.ToUpperInvariant() : digits;
        return prefix && kind is 'x' or 'X' or 'o' or 'b' ? $"0{kind}{digits}" : digits;
    }

    /// <summary>The digits of a number that is not negative.</summary>
    public static string Float(double value, char kind, int precision, bool alternate)
    {
        if (!double.IsFinite(value))
        {
            var name = double.IsNaN(value) ? "nan" : "inf";
            return char.IsUpper(kind) ? name.ToUpperInvariant() : name;
        }

        return kind switch
        {
            'f' or 'F' => PyFloat.Fixed(value, precision) + (alternate && precision == 0 ? "." : ""),
            'e' or 'E' => PyFloat.Exponential(value, precision, kind),
            _ => PyFloat.General(value, precision, kind == 'G' ? 'E' : 'e', alternate),
        };
    }

    private sealed record Parsed(string Fill, char Align, char Sign, bool Alternate, int Width, char Grouping, int? Precision, char Type);

    private static Parsed Parse(string spec)
    {
        var i = 0;
        var (fill, align, sign, grouping) = (" ", '\0', '\0', '\0');
        var first = spec.Length > 1 && char.IsSurrogatePair(spec[0], spec[1]) ? 2 : 1;
        if (spec.Length > first && spec[first] is '<' or '>' or '=' or '^')
        {
            (fill, align, i) = (spec[..first], spec[first], first + 1);
        }
        else if (spec[0] is '<' or '>' or '=' or '^')
        {
            (align, i) = (spec[0], 1);
        }

        bool At(string any) => i < spec.Length && any.Contains(spec[i], StringComparison.Ordinal);
        int Number()
        {
            var number = 0;
            for (; i < spec.Length && char.IsAsciiDigit(spec[i]); i++)
            {
                number = Math.Min((number * 10) + spec[i] - '0', 100_000_000);
            }

            return number;
        }

        sign = At("+- ") ? spec[i++] : '\0';
        i += At("z") ? 1 : 0;
        var alternate = At("#");
        i += alternate ? 1 : 0;
        if (At("0") && align == '\0')
        {
            (fill, align) = ("0", '=');
        }

        var width = Number();
        grouping = At(",_") ? spec[i++] : '\0';
        int? precision = null;
        if (At("."))
        {
            i++;
            precision = At("0123456789") ? Number() : throw TemplateFailure.Type("Format specifier missing precision");
        }

        var type = i < spec.Length ? spec[i++] : '\0';
        return i == spec.Length
            ? new Parsed(fill, align, sign, alternate, width, grouping, precision, type)
            : throw TemplateFailure.Type($"Invalid format specifier '{spec}'");
    }

    private static (bool Negative, string Digits) IntegerDigits(object value, Parsed spec)
    {
        PyNumber.TryInteger(value, out var integer);
        var digits = spec.Type switch
        {
            '\0' or 'd' or 'n' or 'x' or 'X' or 'o' or 'b' => Digits(BigInteger.Abs(integer), spec.Type, spec.Alternate, 0),
            'c' => char.ConvertFromUtf32(Py.Int(value)),
            _ => throw Unknown(spec.Type, value),
        };
        return spec.Precision is null ? (integer.Sign < 0, digits) : throw TemplateFailure.Type("Precision not allowed in integer format specifier");
    }

    private static (bool Negative, string Digits) FloatDigits(object value, Parsed spec)
    {
        var number = PyNumber.ToDouble(value);
        var magnitude = Math.Abs(number);
        var precision = Math.Min(spec.Precision ?? 6, 1000);
        var digits = spec.Type switch
        {
            'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' => Float(magnitude, spec.Type, precision, spec.Alternate),
            '%' => Float(magnitude * 100, 'f', precision, spec.Alternate) + "%",
            '\0' when spec.Precision is null || !double.IsFinite(number) => PyFloat.Repr(magnitude),
            '\0' => Plain(magnitude, precision),
            _ => throw Unknown(spec.Type, value),
        };
        return (double.IsNegative(number), digits);
    }

    /// <summary>Like <c>g</c>, but with at least one digit after the point.</summary>
    private static string Plain(double value, int precision)
    {
        var text = PyFloat.General(value, precision, 'e', keepZeros: false, pointZero: true);
        return text;
    }

    private static string Group(string digits, Parsed spec, int signLength)
    {
        if (spec.Grouping == '\0')
        {
            return digits;
        }

        var end = digits.AsSpan().IndexOfAnyExcept("0123456789");
        end = end < 0 ? digits.Length : end;
        var whole = digits[..end];
        string Join(string text)
        {
            var result = new StringBuilder(text);
            for (var i = text.Length - 3; i > 0; i -= 3)
            {
                result.Insert(i, spec.Grouping);
            }

            return result.ToString();
        }

        var joined = Join(whole);
        // Zeros that fill are grouped too.
        while (spec is { Fill: "0", Align: '=' } && joined.Length + digits.Length - end + signLength < spec.Width)
        {
            whole = "0" + whole;
            joined = Join(whole);
        }

        return joined + digits[end..];
    }

    private static string Align(string text, string sign, Parsed spec, char byDefault)
    {
        var missing = spec.Width - PyText.Length(text) - sign.Length;
        if (missing <= 0)
        {
            return sign + text;
        }

        string Fill(int count) => string.Concat(Enumerable.Repeat(spec.Fill, count));
        return (spec.Align == '\0' ? byDefault : spec.Align) switch
        {
            '<' => sign + text + Fill(missing),
            '^' => Fill(missing / 2) + sign + text + Fill(missing - (missing / 2)),
            '=' => sign + Fill(missing) + text,
            _ => Fill(missing) + sign + text,
        };
    }

    private static string Radix(BigInteger value, int radix)
    {
        var digits = new StringBuilder();
        for (; !value.IsZero; value /= radix)
        {
            digits.Insert(0, (char)('0' + (int)(value % radix)));
        }

        return digits.ToString();
    }

    private static TemplateFailure Unknown(char type, object? value)
        => TemplateFailure.Type($"Unknown format code '{type}' for object of type '{Py.TypeName(value)}'");
}
