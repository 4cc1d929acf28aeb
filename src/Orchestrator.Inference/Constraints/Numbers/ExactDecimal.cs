using System.Globalization;
using System.Numerics;

namespace Orchestrator.Inference.Constraints.Numbers;

/// <summary>An exact decimal number, Mantissa × 10^Exponent, the mantissa not divisible by ten.</summary>
internal readonly record struct ExactDecimal : IComparable<ExactDecimal>
{
    private const int MaxExponent = 4000;

    public ExactDecimal(BigInteger mantissa, int exponent)
    {
        while (!mantissa.IsZero && (mantissa % 10).IsZero)
        {
            mantissa /= 10;
            exponent++;
        }

        Mantissa = mantissa;
        Exponent = mantissa.IsZero ? 0 : exponent;
    }

    public BigInteger Mantissa { get; }

    public int Exponent { get; }

    public bool IsZero => Mantissa.IsZero;

    public bool IsInteger => Exponent >= 0;

    /// <summary>The digits d of |value| = 0.d × 10^<see cref="Order"/>; empty for zero.</summary>
    public string Digits => IsZero ? "" : BigInteger.Abs(Mantissa).ToString(CultureInfo.InvariantCulture);

    public int Order => Digits.Length + Exponent;

    /// <summary>Parses a JSON number; null where its exponent is absurd.</summary>
    public static ExactDecimal? Parse(string json)
    {
        var e = json.IndexOfAny(['e', 'E']);
        var mantissa = e < 0 ? json : json[..e];
        var exponent = 0;
        if (e >= 0 && (!int.TryParse(json.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > MaxExponent))
        {
            return null;
        }

        var dot = mantissa.IndexOf('.');
        if (dot >= 0)
        {
            exponent -= mantissa.Length - dot - 1;
            mantissa = mantissa.Remove(dot, 1);
        }

        return new ExactDecimal(BigInteger.Parse(mantissa, CultureInfo.InvariantCulture), exponent);
    }

    public static ExactDecimal operator -(ExactDecimal value) => new(-value.Mantissa, value.Exponent);

    public int CompareTo(ExactDecimal other)
    {
        var low = Math.Min(Exponent, other.Exponent);
        return Scaled(-low).CompareTo(other.Scaled(-low));
    }

    /// <summary>value × 10^power, where that is an integer.</summary>
    public BigInteger Scaled(int power) => Mantissa * BigInteger.Pow(10, Exponent + power);

    /// <summary>The greatest integer that is not above value × 10^power.</summary>
    public BigInteger Floor(int power)
    {
        if (Exponent + power >= 0)
        {
            return Scaled(power);
        }

        var quotient = BigInteger.DivRem(Mantissa, BigInteger.Pow(10, -Exponent - power), out var remainder);
        return remainder.Sign < 0 ? quotient - 1 : quotient;
    }

    public BigInteger Ceiling(int power) => -(-this).Floor(power);

    /// <summary>Whether this is an integer multiple of another number above zero.</summary>
    public bool IsMultipleOf(ExactDecimal other)
    {
        var low = Math.Min(Exponent, other.Exponent);
        return (Scaled(-low) % other.Scaled(-low)).IsZero;
    }

    /// <summary>The least number above zero that is a multiple of both.</summary>
    public static ExactDecimal LeastCommonMultiple(ExactDecimal a, ExactDecimal b)
    {
        var low = Math.Min(a.Exponent, b.Exponent);
        var (x, y) = (a.Scaled(-low), b.Scaled(-low));
        return new ExactDecimal(x / BigInteger.GreatestCommonDivisor(x, y) * y, low);
    }
}
