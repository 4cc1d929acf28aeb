using System.Globalization;
using System.Numerics;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Writes floats exactly as Python does: the shortest form that reads back, or correctly rounded digits.</summary>
internal static class PyFloat
{
    /// <summary>Python's <c>repr</c> of a float.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var (digits, exponent) = Shortest(value);
        var sign = double.IsNegative(value) ? "-" : "";
        return sign + (exponent is < -4 or >= 16 ? Scientific(digits, exponent, 'e') : Plain(digits, exponent, pointZero: true));
    }

    /// <summary>Digits after the point, rounded half to even on the exact value.</summary>
    public static string Fixed(double value, int precision)
    {
        var digits = Rounded(Math.Abs(value), precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        var whole = digits[..^precision];
        return (double.IsNegative(value) ? "-" : "") + (precision == 0 ? whole : $"{whole}.{digits[^precision..]}");
    }

    /// <summary>One digit, the point, digits, and an exponent of at least two digits.</summary>
    public static string Exponential(double value, int precision, char e)
    {
        var (digits, exponent) = Significant(Math.Abs(value), precision + 1);
        return (double.IsNegative(value) ? "-" : "") + Scientific(digits, exponent, e);
    }

    /// <summary>The shorter of both forms with so many significant digits, as <c>%g</c> does.</summary>
    public static string General(double value, int precision, char e, bool keepZeros, bool pointZero = false)
    {
        precision = Math.Max(precision, 1);
        var (digits, exponent) = Significant(Math.Abs(value), precision);
        var scientific = exponent < -4 || exponent >= precision;
        if (!keepZeros)
        {
            digits = digits.TrimEnd('0');
            digits = digits.Length == 0 ? "0" : digits;
        }

        return (double.IsNegative(value) ? "-" : "")
            + (scientific ? Scientific(digits, exponent, e) : Plain(digits, exponent, pointZero));
    }

    /// <summary>Python's <c>round(value, digits)</c>.</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > 323)
        {
            return value;
        }

        if (digits < -308)
        {
            return Math.CopySign(0, value);
        }

        if (digits >= 0)
        {
            return double.Parse(Fixed(value, digits), CultureInfo.InvariantCulture);
        }

        var unit = BigInteger.Pow(10, -digits);
        var (mantissa, exponent) = Split(Math.Abs(value));
        var scale = exponent < 0 ? BigInteger.One << -exponent : BigInteger.One;
        var rounded = DivideHalfEven(exponent < 0 ? mantissa : mantissa << exponent, unit * scale) * unit;
        return Math.CopySign((double)rounded, value);
    }

    private static (string Digits, int Exponent) Shortest(double value)
    {
        if (value == 0)
        {
            return ("0", 0);
        }

        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = e < 0 ? text : text[..e];
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('0').TrimEnd('0');
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa.Length : point;
        var first = mantissa.AsSpan().IndexOfAnyExcept('0', '.');
        var exponent = first < whole ? whole - 1 - first : whole - first;
        return (digits, exponent + (e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)));
    }

    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
        {
            return (new string('0', count), 0);
        }

        var exponent = (int)Math.Floor(Math.Log10(value));
        for (var guess = exponent - 1; ; guess++)
        {
            var digits = Rounded(value, count - 1 - guess).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
            {
                return (digits, guess);
            }
        }
    }

    /// <summary>value × 10^scale, rounded half to even.</summary>
    private static BigInteger Rounded(double value, int scale)
    {
        var (mantissa, exponent) = Split(value);
        var numerator = exponent > 0 ? mantissa << exponent : mantissa;
        var denominator = exponent < 0 ? BigInteger.One << -exponent : BigInteger.One;
        if (scale >= 0)
        {
            numerator *= BigInteger.Pow(10, scale);
        }
        else
        {
            denominator *= BigInteger.Pow(10, -scale);
        }

        return DivideHalfEven(numerator, denominator);
    }

    private static BigInteger DivideHalfEven(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var order = (remainder * 2).CompareTo(denominator);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static (BigInteger Mantissa, int Exponent) Split(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7ff);
        var mantissa = bits & 0xfffffffffffffL;
        return exponent == 0 ? (mantissa, -1074) : (mantissa | 0x10000000000000L, exponent - 1075);
    }

    private static string Plain(string digits, int exponent, bool pointZero)
    {
        if (exponent < 0)
        {
            return "0." + new string('0', -exponent - 1) + digits;
        }

        return digits.Length <= exponent + 1
            ? digits.PadRight(exponent + 1, '0') + (pointZero ? ".0" : "")
            : $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static string Scientific(string digits, int exponent, char e)
    {
        var fraction = digits.Length > 1 ? "." + digits[1..] : "";
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}{e}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }
}
