namespace Orchestrator.Inference.Constraints.Numbers;

/// <summary>Which numbers are allowed.</summary>
internal sealed record NumberRange(
    ExactDecimal? Min = null,
    bool MinExclusive = false,
    ExactDecimal? Max = null,
    bool MaxExclusive = false,
    bool Integer = false,
    ExactDecimal? MultipleOf = null)
{
    public static NumberRange All { get; } = new();

    public bool IsEmpty
    {
        get
        {
            var exact = Normalize();
            if (exact.Min is not { } min || exact.Max is not { } max)
            {
                return false;
            }

            var order = min.CompareTo(max);
            if (order > 0 || (order == 0 && (exact.MinExclusive || exact.MaxExclusive)))
            {
                return true;
            }

            if (MultipleOf is not { } step)
            {
                return false;
            }

            // The least multiple that is not below the minimum.
            var power = Math.Max(0, -Math.Min(step.Exponent, Math.Min(min.Exponent, max.Exponent)));
            var (a, low, high) = (step.Scaled(power), min.Scaled(power), max.Scaled(power));
            low += exact.MinExclusive ? 1 : 0;
            high -= exact.MaxExclusive ? 1 : 0;
            var remainder = ((low % a) + a) % a;
            return (remainder.IsZero ? low : low + a - remainder) > high;
        }
    }

    public NumberRange And(NumberRange other)
    {
        var (min, minExclusive) = (Min, MinExclusive);
        if (other.Min is { } otherMin && (min is not { } ownMin || otherMin.CompareTo(ownMin) is var order && (order > 0 || (order == 0 && other.MinExclusive))))
        {
            (min, minExclusive) = (otherMin, other.MinExclusive);
        }

        var (max, maxExclusive) = (Max, MaxExclusive);
        if (other.Max is { } otherMax && (max is not { } ownMax || otherMax.CompareTo(ownMax) is var order2 && (order2 < 0 || (order2 == 0 && other.MaxExclusive))))
        {
            (max, maxExclusive) = (otherMax, other.MaxExclusive);
        }

        return new NumberRange(
            min,
            minExclusive,
            max,
            maxExclusive,
            Integer || other.Integer,
            MultipleOf is { } a && other.MultipleOf is { } b ? ExactDecimal.LeastCommonMultiple(a, b) : MultipleOf ?? other.MultipleOf);
    }

    public bool Contains(ExactDecimal value)
        => (Min is not { } min || value.CompareTo(min) >= (MinExclusive ? 1 : 0))
            && (Max is not { } max || value.CompareTo(max) <= (MaxExclusive ? -1 : 0))
            && (!Integer || value.IsInteger)
            && (MultipleOf is not { } step || value.IsMultipleOf(step));

    /// <summary>For integers, bounds that are integers themselves and belong to the range.</summary>
    public NumberRange Normalize()
    {
        if (!Integer)
        {
            return this;
        }

        var min = Min is { } low ? new ExactDecimal(MinExclusive ? low.Floor(0) + 1 : low.Ceiling(0), 0) : Min;
        var max = Max is { } high ? new ExactDecimal(MaxExclusive ? high.Ceiling(0) - 1 : high.Floor(0), 0) : Max;
        return this with { Min = min, MinExclusive = false, Max = max, MaxExclusive = false };
    }
}
