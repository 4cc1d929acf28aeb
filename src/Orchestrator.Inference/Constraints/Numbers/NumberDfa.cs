using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Numbers;

/// <summary>How numbers are written.</summary>
/// <param name="Exponents">Whether exponents, and a zero fraction of integers, are allowed.</param>
/// <param name="MaxDigits">The most digits before, and after, the decimal point.</param>
/// <param name="LeadingWhitespace">Whether whitespace may come before.</param>
internal sealed record NumberStyle(bool Exponents, int MaxDigits, bool LeadingWhitespace);

internal enum NumberStage : byte
{
    Before,
    Minus,
    Zero,
    Integer,
    Dot,
    Fraction,
    E,
    ExponentSign,
    Exponent,
}

/// <summary>
/// What is known of a number so far. Its magnitude is 0.d1d2… × 10^Order, d1 not being zero.
/// </summary>
/// <param name="Stage">Where in the number.</param>
/// <param name="Negative">Whether it began with a minus.</param>
/// <param name="IsZero">Whether all digits so far are zeros.</param>
/// <param name="Order">Digits before the point; below that, minus the zeros that the fraction begins with. In the exponent: the least that is allowed.</param>
/// <param name="Low">How the digits compare with those of the lower bound: −1 less, −2 greater, else so many are equal. In the exponent: the greatest that is allowed.</param>
/// <param name="High">The same for the upper bound. In the exponent: its digits so far, as a number.</param>
/// <param name="Digits">All digits from the first that is not zero; only for integers with exponents.</param>
/// <param name="Significant">The same, up to the last that is not zero.</param>
/// <param name="Fraction">The digits of the fraction, or of the exponent.</param>
internal readonly record struct NumberKey(
    NumberStage Stage,
    bool Negative = false,
    bool IsZero = true,
    int Order = 0,
    int Low = 0,
    int High = 0,
    int Digits = 0,
    int Significant = 0,
    int Fraction = 0);

/// <summary>
/// The JSON numbers in a range. The range is held by comparing digits with those of the bounds, so the number of states
/// grows with the digits of the bounds, not with their size.
/// </summary>
internal sealed class NumberDfa : ByteDfa<NumberKey>
{
    private const int Less = -1;
    private const int Greater = -2;
    private const int Far = 400;

    private readonly bool _integer;
    private readonly NumberStyle _style;
    private readonly Side _positive;
    private readonly Side _negative;
    private readonly int _maxFraction;

    public NumberDfa(NumberRange range, NumberStyle style)
    {
        range = range.Normalize();
        _integer = range.Integer;
        _style = style;
        _positive = new Side(range.Min, range.MinExclusive, range.Max, range.MaxExclusive);
        _negative = new Side(-range.Max, range.MaxExclusive, -range.Min, range.MinExclusive);
        if (!style.Exponents)
        {
            // Nobody wants to generate a negative zero.
            _negative.HoldsZero = false;
        }

        _maxFraction = Math.Max(style.MaxDigits, Math.Max(_positive.Precision, _negative.Precision));
    }

    public ByteState Start => Get(new NumberKey(NumberStage.Before));

    protected override ByteState Create(NumberKey key) => new NumberState(this, key);

    private ByteState? Live(NumberKey key) => IsFeasible(key) ? Get(key) : null;

    private ByteState? Step(NumberKey key, byte value)
    {
        var digit = value is >= (byte)'0' and <= (byte)'9' ? value - '0' : -1;
        switch (key.Stage)
        {
            case NumberStage.Before when value == '-':
                return Live(key with { Stage = NumberStage.Minus, Negative = true });
            case NumberStage.Before when _style.LeadingWhitespace && value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r':
                return Get(key);
            case NumberStage.Before or NumberStage.Minus:
                return digit < 0 ? null : digit == 0 ? Live(key with { Stage = NumberStage.Zero }) : Live(Append(key with { Stage = NumberStage.Integer, Order = 1 }, digit));
            case NumberStage.Zero or NumberStage.Integer or NumberStage.Fraction when value is (byte)'e' or (byte)'E':
                return _style.Exponents ? BeginExponent(key) : null;
            case NumberStage.Zero or NumberStage.Integer when value == '.':
                return _integer && !_style.Exponents ? null : Live(key with { Stage = NumberStage.Dot });
            case NumberStage.Integer when digit >= 0:
                return Live(Append(key with { Order = key.Order + 1 }, digit));
            case NumberStage.Dot or NumberStage.Fraction when digit >= 0:
                if (key.Fraction >= _maxFraction)
                {
                    return null;
                }

                var longer = key with { Stage = NumberStage.Fraction, Fraction = key.Fraction + 1 };
                return Live(key.IsZero && digit == 0 ? longer with { Order = key.Order - 1 } : Append(longer, digit));
            case NumberStage.E when value is (byte)'+' or (byte)'-':
                return value == '-'
                    ? Live(key with { Stage = NumberStage.ExponentSign, Order = -key.Low, Low = -key.Order })
                    : Live(key with { Stage = NumberStage.ExponentSign });
            case NumberStage.E or NumberStage.ExponentSign or NumberStage.Exponent when digit >= 0 && key.Fraction < 4:
                return Live(key with { Stage = NumberStage.Exponent, High = (key.High * 10) + digit, Fraction = key.Fraction + 1 });
            default:
                return null;
        }
    }

    private NumberKey Append(NumberKey key, int digit)
    {
        var side = key.Negative ? _negative : _positive;
        var digits = _integer && _style.Exponents ? key.Digits + 1 : 0;
        return key with
        {
            IsZero = false,
            Low = Compare(key.Low, digit, side.LowDigits),
            High = Compare(key.High, digit, side.HighDigits),
            Digits = digits,
            Significant = digit == 0 ? key.Significant : digits,
        };
    }

    private static int Compare(int state, int digit, string bound)
    {
        if (state < 0)
        {
            return state;
        }

        var other = state < bound.Length ? bound[state] - '0' : 0;
        return digit < other ? Less : digit > other ? Greater : Math.Min(state + 1, bound.Length);
    }

    /// <summary>From here on the digits are known, so the exponents that bring the number into the range are an interval.</summary>
    private ByteState? BeginExponent(NumberKey key)
    {
        var side = key.Negative ? _negative : _positive;
        int low, high;
        if (key.IsZero)
        {
            (low, high) = side.HoldsZero ? (-Far, Far) : (1, 0);
        }
        else
        {
            low = side.LowOrder == int.MinValue ? -Far : side.LowOrder - key.Order + (IsAboveLow(key, side) ? 0 : 1);
            high = side.HighOrder == int.MaxValue ? Far : side.HighOrder - key.Order - (IsBelowHigh(key, side) ? 0 : 1);
            low = _integer ? Math.Max(low, key.Significant - key.Order) : low;
            (low, high) = (Math.Max(low, -Far), Math.Min(high, Far));
        }

        return Live(new NumberKey(NumberStage.E, key.Negative, false, low, low > high ? low - 1 : high));
    }

    private static bool IsAboveLow(NumberKey key, Side side) => key.Low == Greater || (key.Low == side.LowDigits.Length && !side.LowOpen);

    private static bool IsBelowHigh(NumberKey key, Side side) => key.High == Less || (key.High >= 0 && (key.High < side.HighDigits.Length || !side.HighOpen));

    /// <summary>Whether some continuation ends in the range.</summary>
    private bool IsFeasible(NumberKey key)
    {
        var side = key.Negative ? _negative : _positive;
        switch (key.Stage)
        {
            case NumberStage.Minus:
                return side.HoldsZero || side.HoldsMore;
            case NumberStage.Zero or NumberStage.Dot or NumberStage.Fraction when key.IsZero:
                return side.HoldsZero
                    || (key.Fraction < _maxFraction && (_style.Exponents ? IsReachable(key, side, int.MinValue, int.MaxValue) : !_integer && IsReachable(key, side, 1 - _maxFraction, key.Order)));
            case NumberStage.Integer or NumberStage.Dot or NumberStage.Fraction:
                if (key.Order > _style.MaxDigits && key.Order > side.LowOrder)
                {
                    return false;
                }

                if (key.Stage == NumberStage.Fraction && key.Fraction == _maxFraction)
                {
                    return Accepts(key) || (_style.Exponents && BeginExponent(key) is not null);
                }

                if (_style.Exponents)
                {
                    return IsReachable(key, side, _integer ? key.Significant : int.MinValue, int.MaxValue);
                }

                return key.Stage == NumberStage.Integer
                    ? IsReachable(key, side, key.Order, Math.Max(_style.MaxDigits, side.LowOrder))
                    : IsReachable(key, side, key.Order, key.Order);
            case NumberStage.E:
                return key.Order <= key.Low;
            case NumberStage.ExponentSign:
                return key.Low >= 0;
            case NumberStage.Exponent:
                // The digits so far can go on to any number from high × 10^k to high × 10^k + 10^k − 1.
                var (low, high) = ((long)key.High, (long)key.High);
                for (var left = 4 - key.Fraction; left >= 0; left--)
                {
                    if (low <= key.Low && high >= key.Order)
                    {
                        return true;
                    }

                    (low, high) = (low * 10, (high * 10) + 9);
                }

                return false;
            default:
                return true;
        }
    }

    /// <summary>Whether there is an order in an interval with which the digits so far can become a number in the range.</summary>
    private static bool IsReachable(NumberKey key, Side side, int lowest, int highest)
    {
        if (side.IsEmpty || !side.HoldsMore)
        {
            return false;
        }

        var canExceedLow = key.IsZero || key.Low != Less;
        var canStayBelowHigh = key.IsZero || key.High == Less || (key.High >= 0 && !(side.HighOpen && key.High == side.HighDigits.Length));
        var low = side.LowOrder == int.MinValue ? lowest : Math.Max(lowest, canExceedLow ? side.LowOrder : side.LowOrder + 1);
        var high = side.HighOrder == int.MaxValue ? highest : Math.Min(highest, canStayBelowHigh ? side.HighOrder : side.HighOrder - 1);
        return low <= high;
    }

    private bool Accepts(NumberKey key)
    {
        var side = key.Negative ? _negative : _positive;
        switch (key.Stage)
        {
            case NumberStage.Zero or NumberStage.Fraction when key.IsZero:
                return side.HoldsZero;
            case NumberStage.Integer or NumberStage.Fraction:
                return (!_integer || key.Significant <= key.Order)
                    && (key.Order > side.LowOrder || (key.Order == side.LowOrder && IsAboveLow(key, side)))
                    && (key.Order < side.HighOrder || (key.Order == side.HighOrder && IsBelowHigh(key, side)));
            case NumberStage.Exponent:
                return key.High >= key.Order && key.High <= key.Low;
            default:
                return false;
        }
    }

    /// <summary>The magnitudes that are allowed on one side of zero.</summary>
    private sealed class Side
    {
        /// <summary>The greatest double; what is beyond is no number to most who read JSON.</summary>
        private static readonly ExactDecimal Greatest = new(17976931348623157, 292);

        public Side(ExactDecimal? low, bool lowOpen, ExactDecimal? high, bool highOpen)
        {
            var zero = default(ExactDecimal);
            var least = low is { } l && l.CompareTo(zero) >= 0 ? l : zero;
            LowOpen = lowOpen && low is { } ll && ll.CompareTo(zero) >= 0;
            var greatest = high ?? Greatest;
            HighOpen = highOpen && high is not null;
            var order = least.CompareTo(greatest);
            IsEmpty = order > 0 || (order == 0 && (LowOpen || HighOpen));
            HoldsZero = !IsEmpty && least.IsZero && !LowOpen;
            HoldsMore = !IsEmpty && !greatest.IsZero && greatest.CompareTo(zero) > 0;
            LowDigits = least.Digits;
            LowOrder = least.IsZero ? int.MinValue : least.Order;
            HighDigits = greatest.Digits;
            HighOrder = greatest.IsZero ? int.MinValue : greatest.Order;
            Precision = IsEmpty ? 0 : Math.Max(Places(least), high is null ? 0 : Places(greatest)) + 1;
        }

        public bool IsEmpty { get; }

        public bool HoldsZero { get; set; }

        public bool HoldsMore { get; }

        public bool LowOpen { get; }

        public string LowDigits { get; }

        public int LowOrder { get; }

        public bool HighOpen { get; }

        public string HighDigits { get; }

        public int HighOrder { get; }

        /// <summary>The digits of a fraction that are needed to tell a number from the bounds.</summary>
        public int Precision { get; }

        private static int Places(ExactDecimal value) => Math.Max(0, -value.Exponent);
    }

    private sealed class NumberState : ByteState
    {
        private readonly NumberDfa _owner;
        private readonly NumberKey _key;

        public NumberState(NumberDfa owner, NumberKey key)
        {
            _owner = owner;
            _key = key;
            Tag = owner.Accepts(key) ? 0 : -1;
        }

        protected override ByteState? Compute(byte value) => _owner.Step(_key, value);
    }
}
