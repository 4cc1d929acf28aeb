using System.Text;

namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>One of a few short byte strings, perhaps with whitespace before it.</summary>
internal sealed class LiteralDfa : ByteDfa<(int Set, int Length)>
{
    private readonly byte[][] _literals;
    private readonly bool _leadingWhitespace;

    /// <summary>Exactly these bytes.</summary>
    public LiteralDfa(byte[] literal) => _literals = [literal];

    public LiteralDfa(bool leadingWhitespace, params ReadOnlySpan<string> literals)
    {
        if (literals.Length > 31)
        {
            throw new ArgumentException("At most 31 literals.", nameof(literals));
        }

        _leadingWhitespace = leadingWhitespace;
        _literals = new byte[literals.Length][];
        for (var i = 0; i < literals.Length; i++)
        {
            _literals[i] = Encoding.UTF8.GetBytes(literals[i]);
        }
    }

    public ByteState Start => Get(((1 << _literals.Length) - 1, 0));

    protected override ByteState Create((int Set, int Length) key) => new LiteralState(this, key);

    private ByteState? Step((int Set, int Length) key, byte value)
    {
        var set = 0;
        for (var i = 0; i < _literals.Length; i++)
        {
            if ((key.Set & (1 << i)) != 0 && key.Length < _literals[i].Length && _literals[i][key.Length] == value)
            {
                set |= 1 << i;
            }
        }

        return set != 0
            ? Get((set, key.Length + 1))
            : _leadingWhitespace && key.Length == 0 && value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' ? Get(key) : null;
    }

    private sealed class LiteralState : ByteState
    {
        private readonly LiteralDfa _owner;
        private readonly (int Set, int Length) _key;

        public LiteralState(LiteralDfa owner, (int Set, int Length) key)
        {
            _owner = owner;
            _key = key;
            var final = true;
            for (var i = 0; i < owner._literals.Length; i++)
            {
                if ((key.Set & (1 << i)) != 0)
                {
                    var left = owner._literals[i].Length - key.Length;
                    Tag = left == 0 ? 0 : Tag;
                    final &= left == 0;
                }
            }

            IsFinal = final;
            BeginsSpecial = owner._literals is [var only] && key.Length < only.Length && only[key.Length] == TokenSpelling.Mark;
        }

        protected override ByteState? Compute(byte value) => _owner.Step(_key, value);
    }
}
