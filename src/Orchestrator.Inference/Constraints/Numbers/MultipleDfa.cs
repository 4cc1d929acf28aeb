using System.Numerics;
using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Numbers;

/// <summary>A number so far: its digits as an integer, of which so many stand behind the point.</summary>
internal readonly record struct MultipleKey(NumberStage Stage, bool Negative, BigInteger Digits, int Places);

/// <summary>The multiples of a number within a range, written without exponents.</summary>
internal sealed class MultipleDfa : ByteDfa<MultipleKey>
{
    /// <summary>So many digits survive in a double; with more, other readers would see another number.</summary>
    private const int MaxExactDigits = 15;

    private readonly NumberStyle _style;
    private readonly BigInteger _step;
    private readonly int _power;
    private readonly (BigInteger Low, BigInteger? High) _positive;
    private readonly (BigInteger Low, BigInteger? High) _negative;
    private readonly int _maxDigits;

    public MultipleDfa(NumberRange range, NumberStyle style)
    {
        range = range.Normalize();
        _style = style;
        var step = range.Integer ? ExactDecimal.LeastCommonMultiple(range.MultipleOf!.Value, new ExactDecimal(1, 0)) : range.MultipleOf!.Value;
        _power = Math.Max(0, -step.Exponent);
        _step = step.Scaled(_power);
        _positive = (
            range.Min is { } min ? BigInteger.Max(0, Above(min, range.MinExclusive)) : 0,
            range.Max is { } max ? -Above(-max, range.MaxExclusive) : null);
        // Minus zero is read, and not written.
        var least = style.Exponents ? 0 : BigInteger.One;
        _negative = (
            range.Max is { } top ? BigInteger.Max(least, Above(-top, range.MaxExclusive)) : least,
            range.Min is { } bottom ? -Above(bottom, range.MinExclusive) : null);
        _maxDigits = Math.Max(Math.Min(style.MaxDigits, Math.Max(1, MaxExactDigits - _power)), Length(BigInteger.Max(_positive.Low, _negative.Low) + _step) + 1);
    }

    /// <summary>There is a state for each beginning of a number, without end where there is no maximum.</summary>
    protected override int MostStates => 1 << 14;

    public ByteState Start => Get(new MultipleKey(NumberStage.Before, false, 0, 0));

    protected override ByteState Create(MultipleKey key) => new MultipleState(this, key);

    private static int Length(BigInteger value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;

    private BigInteger Above(ExactDecimal value, bool exclusive) => exclusive ? value.Floor(_power) + 1 : value.Ceiling(_power);

    private ByteState? Step(MultipleKey key, byte value)
    {
        var digit = value is >= (byte)'0' and <= (byte)'9' ? value - '0' : -1;
        return key.Stage switch
        {
            NumberStage.Before when value == '-' => Live(key with { Stage = NumberStage.Minus, Negative = true }),
            NumberStage.Before when _style.LeadingWhitespace && value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' => Get(key),
            NumberStage.Before or NumberStage.Minus when digit >= 0
                => Live(key with { Stage = digit == 0 ? NumberStage.Zero : NumberStage.Integer, Digits = digit }),
            NumberStage.Integer when digit >= 0 => Live(key with { Digits = (key.Digits * 10) + digit }),
            NumberStage.Zero or NumberStage.Integer when value == '.' && (_power > 0 || _style.Exponents) => Live(key with { Stage = NumberStage.Dot }),
            NumberStage.Dot or NumberStage.Fraction when digit >= 0 && key.Places < _power
                => Live(key with { Stage = NumberStage.Fraction, Digits = (key.Digits * 10) + digit, Places = key.Places + 1 }),
            NumberStage.Dot or NumberStage.Fraction when digit == 0 && _style.Exponents => Live(key with { Stage = NumberStage.Fraction }),
            _ => null,
        };
    }

    private ByteState? Live(MultipleKey key) => IsFeasible(key) ? Get(key) : null;

    /// <summary>Whether a multiple in the range begins with these digits.</summary>
    private bool IsFeasible(MultipleKey key)
    {
        var side = key.Negative ? _negative : _positive;
        if (side.High is { } high && (high.Sign < 0 || high < side.Low))
        {
            return false;
        }

        if (key.Stage == NumberStage.Minus)
        {
            var first = FirstMultiple(side.Low);
            return side.High is not { } most || first <= most;
        }

        var low = key.Digits * BigInteger.Pow(10, _power - key.Places);
        var width = BigInteger.Pow(10, _power - key.Places);
        var digits = key.Stage == NumberStage.Integer ? Length(key.Digits) : _maxDigits;
        for (; digits <= _maxDigits; digits++)
        {
            var first = FirstMultiple(BigInteger.Max(low, side.Low));
            if (first < low + width && (side.High is not { } most || first <= most))
            {
                return true;
            }

            if (key.Stage != NumberStage.Integer || low > (side.High ?? low))
            {
                return false;
            }

            (low, width) = (low * 10, width * 10);
        }

        return false;
    }

    private BigInteger FirstMultiple(BigInteger low)
    {
        var remainder = low % _step;
        return remainder.IsZero ? low : low + _step - remainder;
    }

    private bool Accepts(MultipleKey key)
    {
        if (key.Stage is not (NumberStage.Zero or NumberStage.Integer or NumberStage.Fraction))
        {
            return false;
        }

        var side = key.Negative ? _negative : _positive;
        var value = key.Digits * BigInteger.Pow(10, _power - key.Places);
        return value >= side.Low && (side.High is not { } high || value <= high) && (value % _step).IsZero;
    }

    private sealed class MultipleState : ByteState
    {
        private readonly MultipleDfa _owner;
        private readonly MultipleKey _key;

        public MultipleState(MultipleDfa owner, MultipleKey key)
        {
            _owner = owner;
            _key = key;
            Tag = owner.Accepts(key) ? 0 : -1;
        }

        protected override ByteState? Compute(byte value) => _owner.Step(_key, value);
    }
}
