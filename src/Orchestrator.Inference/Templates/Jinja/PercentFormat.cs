using System.Globalization;
using System.Numerics;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's <c>text % values</c>.</summary>
internal static class PercentFormat
{
    public static string Format(RenderState state, string format, object? values)
    {
        var result = new StringBuilder();
        var arguments = values is PyTuple tuple ? tuple.Items : [values];
        var next = 0;
        var byName = false;
        object? Next() => next < arguments.Length ? arguments[next++] : throw TemplateFailure.Type("not enough arguments for format string");
        var i = 0;
        char Read() => i < format.Length ? format[i++] : throw TemplateFailure.Type("incomplete format");
        int ReadNumber()
        {
            if (i < format.Length && format[i] == '*')
            {
                i++;
                return Py.Int(Next());
            }

            var number = 0;
            while (i < format.Length && char.IsAsciiDigit(format[i]))
            {
                number = Math.Min((number * 10) + format[i++] - '0', 100_000_000);
            }

            return number;
        }

        while (i < format.Length)
        {
            var c = format[i++];
            if (c != '%')
            {
                result.Append(c);
                continue;
            }

            object? named = null;
            var hasName = i < format.Length && format[i] == '(';
            if (hasName)
            {
                var close = format.IndexOf(')', i);
                var name = close >= 0 ? format[(i + 1)..close] : throw TemplateFailure.Type("incomplete format key");
                var dict = values as PyDict ?? throw TemplateFailure.Type("format requires a mapping");
                named = dict.TryGet(name, out var value) ? value : throw TemplateFailure.Type(PyText.Repr(name));
                i = close + 1;
                byName = true;
            }

            var flags = "";
            while (i < format.Length && "-+ 0#".Contains(format[i], StringComparison.Ordinal))
            {
                flags += format[i++];
            }

            var width = ReadNumber();
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber();
            }

            while (i < format.Length && format[i] is 'h' or 'l' or 'L')
            {
                i++;
            }

            var kind = Read();
            if (kind == '%')
            {
                result.Append('%');
                continue;
            }

            if (width < 0)
            {
                flags += '-';
                width = -width;
            }

            state.ChargeText(result.Length + (long)width + (precision ?? 0));
            result.Append(Field(state, kind, flags, width, precision, hasName ? named : Next()));
        }

        return next < arguments.Length && !byName && values is not (PyDict or PyList)
            ? throw TemplateFailure.Type("not all arguments converted during string formatting")
            : state.Made(result.ToString());
    }

    private static string Field(RenderState state, char kind, string flags, int width, int? precision, object? value)
    {
        switch (kind)
        {
            case 's' or 'r' or 'a':
                var text = kind == 's' ? Py.Str(state, value) : Py.Repr(state, value);
                return Pad(precision is { } max && max < PyText.Length(text) ? text[..PyText.Offset(text, max)] : text, flags, width);
            case 'c':
                return Pad(Py.Text(value) ?? char.ConvertFromUtf32(Py.Int(value)), flags, width);
            case 'd' or 'i' or 'u' or 'o' or 'x' or 'X':
                return Signed(FormatSpec.Digits(Integer(kind, value, out var negative), kind, flags.Contains('#', StringComparison.Ordinal), precision ?? 0), negative, flags, width);
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                var number = value is Undefined u ? throw u.Failure()
                    : PyNumber.IsNumber(value) ? PyNumber.ToDouble(value!) : throw TemplateFailure.Type($"must be real number, not {Py.TypeName(value)}");
                return Signed(FormatSpec.Float(Math.Abs(number), kind, Math.Min(precision ?? 6, 1000), flags.Contains('#', StringComparison.Ordinal)), double.IsNegative(number), flags, width);
            default:
                throw TemplateFailure.Type($"unsupported format character '{kind}'");
        }
    }

    private static BigInteger Integer(char kind, object? value, out bool negative)
    {
        if (!PyNumber.TryInteger(value, out var integer))
        {
            integer = value is double d && double.IsFinite(d) && kind is 'd' or 'i' or 'u'
                ? new BigInteger((double)value!)
                : throw (value is Undefined u ? u.Failure() : TemplateFailure.Type($"%{kind} format: a real number is required, not {Py.TypeName(value)}"));
        }

        negative = integer.Sign < 0;
        return BigInteger.Abs(integer);
    }

    private static string Signed(string digits, bool negative, string flags, int width)
    {
        var sign = negative ? "-" : flags.Contains('+', StringComparison.Ordinal) ? "+" : flags.Contains(' ', StringComparison.Ordinal) ? " " : "";
        if (flags.Contains('0', StringComparison.Ordinal) && !flags.Contains('-', StringComparison.Ordinal))
        {
            var prefix = digits.Length > 1 && digits[1] is 'x' or 'X' or 'o' ? 2 : 0;
            return sign + digits[..prefix] + digits[prefix..].PadLeft(Math.Max(0, width - sign.Length - prefix), '0');
        }

        return Pad(sign + digits, flags, width);
    }

    private static string Pad(string text, string flags, int width)
    {
        width += text.Length - PyText.Length(text);
        return flags.Contains('-', StringComparison.Ordinal) ? text.PadRight(width) : text.PadLeft(width);
    }
}
