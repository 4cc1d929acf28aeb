using System.Globalization;
using System.Numerics;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>
/// Python's numbers: bool, int (long, or BigInteger where that is too small) and float (double).
/// </summary>
internal static class PyNumber
{
    private const int MaxBits = 64 * 1024;
    private static readonly object True = true;
    private static readonly object False = false;
    private static readonly object[] SmallIntegers = [.. Enumerable.Range(-16, 1040).Select(i => (object)(long)i)];

    public static object Box(bool value) => value ? True : False;

    public static object Box(long value) => value is >= -16 and < 1024 ? SmallIntegers[value + 16] : value;

    public static object Shrink(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? Box((long)value) : value;

    public static object ParseDigits(string digits)
        => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? Box(value)
            : Shrink(ParseBig(digits));

    public static BigInteger ParseBig(string digits)
        => digits.Length <= 4300
            ? BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
            : throw TemplateFailure.Type("Exceeds the limit (4300 digits) for integer string conversion");

    /// <summary>Whether the value is an int or a bool, and which.</summary>
    public static bool TryInteger(object? value, out BigInteger integer)
    {
        switch (value)
        {
            case long l:
                integer = l;
                return true;
            case bool b:
                integer = b ? 1 : 0;
                return true;
            case BigInteger big:
                integer = big;
                return true;
            default:
                integer = default;
                return false;
        }
    }

    /// <summary>Whether the value is an int or a bool that fits 64 bits, and which.</summary>
    public static bool TryLong(object? value, out long integer)
    {
        switch (value)
        {
            case long l:
                integer = l;
                return true;
            case bool b:
                integer = b ? 1 : 0;
                return true;
            default:
                integer = 0;
                return false;
        }
    }

    public static bool IsNumber(object? value) => value is long or bool or double or BigInteger;

    public static double ToDouble(object value) => value switch
    {
        double d => d,
        long l => l,
        bool b => b ? 1 : 0,
        _ => (double)(BigInteger)value,
    };

    /// <summary>Arithmetic on two numbers.</summary>
    public static object Apply(string op, object a, object b)
    {
        if (op == "/")
        {
            var divisor = ToDouble(b);
            return divisor != 0 ? ToDouble(a) / divisor : throw TemplateFailure.Type(a is double || b is double ? "float division by zero" : "division by zero");
        }

        if (a is double || b is double)
        {
            return Apply(op, ToDouble(a), ToDouble(b));
        }

        if (TryLong(a, out var x) && TryLong(b, out var y))
        {
            switch (op)
            {
                case "+" when !(x > 0 && y > long.MaxValue - x) && !(x < 0 && y < long.MinValue - x):
                    return Box(x + y);
                case "-" when !(y < 0 && x > long.MaxValue + y) && !(y > 0 && x < long.MinValue + y):
                    return Box(x - y);
                case "%" when y is not (0 or -1):
                    var remainder = x % y;
                    return Box(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder);
                case "//" when y is not (0 or -1):
                    return Box((x / y) - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0));
            }
        }

        TryInteger(a, out var left);
        TryInteger(b, out var right);
        return Apply(op, left, right);
    }

    private static object Apply(string op, BigInteger a, BigInteger b)
    {
        switch (op)
        {
            case "+":
                return Shrink(a + b);
            case "-":
                return Shrink(a - b);
            case "*":
                return a.GetBitLength() + b.GetBitLength() <= MaxBits ? Shrink(a * b) : throw TooLarge();
            case "**" when b < 0:
                return a == 0
                    ? throw TemplateFailure.Type("0.0 cannot be raised to a negative power")
                    : Math.Pow((double)a, (double)b);
            case "**":
                return BigInteger.Abs(a) <= 1 || b * a.GetBitLength() <= MaxBits
                    ? Shrink(BigInteger.Abs(a) <= 1 ? (b.IsEven && b > 0 ? a * a : b.IsZero ? BigInteger.One : a) : BigInteger.Pow(a, (int)b))
                    : throw TooLarge();
        }

        if (b.IsZero)
        {
            throw TemplateFailure.Type("integer division or modulo by zero");
        }

        var quotient = BigInteger.DivRem(a, b, out var remainder);
        var floors = !remainder.IsZero && (remainder.Sign < 0) != (b.Sign < 0);
        return op == "//" ? Shrink(floors ? quotient - 1 : quotient) : Shrink(floors ? remainder + b : remainder);
    }

    private static object Apply(string op, double a, double b)
    {
        switch (op)
        {
            case "+":
                return a + b;
            case "-":
                return a - b;
            case "*":
                return a * b;
            case "**":
                return a == 0 && b < 0 ? throw TemplateFailure.Type("0.0 cannot be raised to a negative power") : Math.Pow(a, b);
        }

        if (b == 0)
        {
            throw TemplateFailure.Type(op == "//" ? "float floor division by zero" : "float modulo");
        }

        var remainder = a % b;
        var quotient = (a - remainder) / b;
        if (remainder != 0 && (remainder < 0) != (b < 0))
        {
            remainder += b;
            quotient--;
        }

        if (op == "%")
        {
            return remainder == 0 ? Math.CopySign(0, b) : remainder;
        }

        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : quotient == 0 ? Math.CopySign(0, a / b) : floor;
    }

    public static object Negate(object value) => value switch
    {
        double d => -d,
        long and not long.MinValue => Box(-(long)value),
        bool b => Box(b ? -1L : 0L),
        _ => Shrink(-(value is long l ? l : (BigInteger)value)),
    };

    /// <summary>Orders two numbers; null where one of them is not a number (NaN).</summary>
    public static int? Compare(object a, object b)
    {
        if (TryLong(a, out var x) && TryLong(b, out var y))
        {
            return x.CompareTo(y);
        }

        if (a is double da && b is double db)
        {
            return double.IsNaN(da) || double.IsNaN(db) ? null : da.CompareTo(db);
        }

        if (a is double left)
        {
            TryInteger(b, out var other);
            return CompareExactly(left, other);
        }

        if (b is double right)
        {
            TryInteger(a, out var other);
            return -CompareExactly(right, other);
        }

        TryInteger(a, out var i);
        TryInteger(b, out var j);
        return i.CompareTo(j);
    }

    private static int? CompareExactly(double a, BigInteger b)
    {
        if (double.IsNaN(a))
        {
            return null;
        }

        if (double.IsInfinity(a))
        {
            return a > 0 ? 1 : -1;
        }

        var whole = Math.Floor(a);
        var order = new BigInteger(whole).CompareTo(b);
        return order != 0 ? order : a > whole ? 1 : 0;
    }

    /// <summary>The int that a text spells as Python's <c>int()</c> reads it, or null.</summary>
    public static object? ParseInteger(string text, int radix)
    {
        var s = text.AsSpan();
        s = PyText.TrimEnd(PyText.TrimStart(s));
        var negative = s.StartsWith("-");
        if (negative || s.StartsWith("+"))
        {
            s = s[1..];
        }

        if (s.Length > 2 && s[0] == '0')
        {
            var named = char.ToLowerInvariant(s[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 };
            if (named != 0 && (radix == named || radix == 0))
            {
                s = s[2] == '_' ? s[3..] : s[2..];
                radix = named;
            }
        }

        radix = radix == 0 ? 10 : radix;
        if (s.Length == 0 || s.Length > 4300 || s[0] == '_' || s[^1] == '_' || s.Contains("__", StringComparison.Ordinal) || radix is < 2 or > 36)
        {
            return null;
        }

        var value = BigInteger.Zero;
        foreach (var c in s)
        {
            if (c == '_')
            {
                continue;
            }

            var digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : (int)CharUnicodeInfo.GetDecimalDigitValue(c);
            if (digit < 0 || digit >= radix)
            {
                return null;
            }

            value = (value * radix) + digit;
        }

        return Shrink(negative ? -value : value);
    }

    /// <summary>The float that a text spells as Python's <c>float()</c> reads it, or null.</summary>
    public static double? ParseFloat(string text)
    {
        var s = PyText.TrimEnd(PyText.TrimStart(text)).ToString();
        var bare = s.TrimStart('+', '-').ToLowerInvariant();
        if (s.Length - bare.Length <= 1 && bare is "inf" or "infinity" or "nan")
        {
            return bare == "nan" ? double.NaN : s[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        }

        if (s.Contains('_', StringComparison.Ordinal))
        {
            for (var i = 0; i < s.Length; i++)
            {
                if (s[i] == '_' && (i == 0 || i + 1 == s.Length || !char.IsAsciiDigit(s[i - 1]) || !char.IsAsciiDigit(s[i + 1])))
                {
                    return null;
                }
            }

            s = s.Replace("_", "", StringComparison.Ordinal);
        }

        return bare.Length > 0 && (char.IsAsciiDigit(bare[0]) || bare[0] == '.')
            && double.TryParse(s, NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite), CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
    }

    private static TemplateFailure TooLarge() => TemplateFailure.Limit($"the result would have more than {MaxBits} bits");
}
