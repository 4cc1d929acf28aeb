using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>A matcher that follows all readings of the output at once.</summary>
internal sealed class GrammarMatcher : IConstraintMatcher
{
    /// <summary>Forced text is handed out in pieces of at most this size.</summary>
    private const int MaxForced = 4096;

    private readonly GrammarConstraint _constraint;
    private readonly StrandStack _walk = new();
    private Strand[] _strands;
    private uint[]? _mask;
    private bool _maskIsCurrent;

    public GrammarMatcher(GrammarConstraint constraint, Node root)
    {
        _constraint = constraint;
        _strands = root.Closure.Strands;
        CanEnd = root.Closure.CanEnd;
    }

    private GrammarMatcher(GrammarMatcher other)
    {
        _constraint = other._constraint;
        _strands = other._strands;
        CanEnd = other.CanEnd;
    }

    public bool CanEnd { get; private set; }

    public bool MustEnd => _strands.Length == 0;

    public int MinBytesToEnd => CanEnd ? 0 : Best(_strands, out _);

    public ReadOnlySpan<uint> Mask()
    {
        if (!_maskIsCurrent)
        {
            _mask ??= new uint[_constraint.Trie.WordCount];
            var builder = _constraint.RentBuilder();
            builder.Build(_strands, CanEnd, _mask);
            _constraint.ReturnBuilder(builder);
            _maskIsCurrent = true;
        }

        return _mask;
    }

    public bool TryAccept(int token)
    {
        var vocabulary = _constraint.Vocabulary;
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, vocabulary.Size);
        var ends = vocabulary.IsEndOfGeneration(token);
        if (ends && CanEnd)
        {
            return true;
        }

        if (TokenSpelling.IsMarked(vocabulary, token))
        {
            return TryAcceptBytes(TokenSpelling.Spell(token));
        }

        return !ends && vocabulary.GetBytes(token) is { Length: > 0 } bytes && !bytes.Contains(TokenSpelling.Mark) && TryAcceptBytes(bytes);
    }

    public bool TryAcceptBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return true;
        }

        _walk.Pop(0);
        _walk.Push(_strands, CanEnd);
        foreach (var value in bytes)
        {
            if (!_walk.TryStep(value))
            {
                return false;
            }
        }

        _strands = _walk.Top.ToArray();
        CanEnd = _walk.CanEnd;
        _maskIsCurrent = false;
        return true;
    }

    public ReadOnlyMemory<byte> ForcedBytes()
    {
        if (CanEnd || _strands.Length == 0)
        {
            return default;
        }

        var forced = new List<byte>();
        var (whole, missing) = (0, 0);
        _walk.Pop(0);
        _walk.Push(_strands, canEnd: false);
        while (forced.Count < MaxForced && !_walk.CanEnd && Only(_walk.Top) is { } value && _walk.TryStep(value))
        {
            forced.Add(value);
            missing = missing > 0 ? missing - 1 : value switch { < 0xC0 => 0, < 0xE0 => 1, < 0xF0 => 2, _ => 3 };
            if (missing == 0)
            {
                whole = forced.Count;
            }
        }

        return forced.ToArray().AsMemory(0, whole);
    }

    public ReadOnlyMemory<byte> ShortestCompletion()
    {
        var bytes = new List<byte>();
        var strands = (ReadOnlySpan<Strand>)_strands;
        var end = CanEnd;
        while (!end)
        {
            // Only the best reading is followed: the others are no shorter.
            Best(strands, out var best);
            var strand = strands[best];
            if (strand.EndsHere(out var here))
            {
                var after = strand.Resume(here).Closure;
                end = after.CanEnd;
                strands = after.Strands;
                continue;
            }

            while (true)
            {
                var (value, next, count, tag) = strand.ShortestStep();
                bytes.Add(value);
                if (next.Tag == tag && count >= strand.Terminal.MinCount)
                {
                    var closure = strand.Resume(tag).Closure;
                    end = closure.CanEnd;
                    strands = closure.Strands;
                    break;
                }

                strand = strand with { State = next, Count = count };
            }
        }

        return bytes.ToArray();
    }

    public IConstraintMatcher Clone() => new GrammarMatcher(this);

    private static int Best(ReadOnlySpan<Strand> strands, out int index)
    {
        var best = int.MaxValue;
        index = -1;
        for (var i = 0; i < strands.Length; i++)
        {
            if (strands[i].IsComplete)
            {
                continue;
            }

            var bytes = strands[i].MinBytes;
            if (bytes < best)
            {
                best = bytes;
                index = i;
            }
        }

        return best;
    }

    /// <summary>The only byte that can follow, or null.</summary>
    private static byte? Only(ReadOnlySpan<Strand> strands)
    {
        byte? only = null;
        foreach (var strand in strands)
        {
            if (strand.State.IsWide && strand.State.Base is not null)
            {
                return null;
            }

            for (var value = 0; value < 256; value++)
            {
                if (strand.Allows((byte)value, out _, out _))
                {
                    if (only is { } other && other != value)
                    {
                        return null;
                    }

                    only = (byte)value;
                }
            }
        }

        return only;
    }
}
