using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>A stack of sets of strands, one set for each byte of a walk, in one growing buffer.</summary>
internal sealed class StrandStack
{
    private Strand[] _strands = new Strand[64];
    private int[] _starts = new int[64];
    private bool[] _canEnd = new bool[64];
    private int _count;

    /// <summary>The number of sets on the stack.</summary>
    public int Depth { get; private set; }

    public bool CanEnd => _canEnd[Depth - 1];

    public ReadOnlySpan<Strand> Top => _strands.AsSpan(_starts[Depth - 1].._count);

    public void Push(ReadOnlySpan<Strand> strands, bool canEnd)
    {
        Begin();
        foreach (var strand in strands)
        {
            Add(strand);
        }

        _canEnd[Depth - 1] = canEnd;
    }

    /// <summary>Pushes the set that follows the top one by a byte. When it would be empty, nothing is pushed.</summary>
    public bool TryStep(byte value)
    {
        var from = _starts[Depth - 1];
        var to = _count;
        Begin();
        var canEnd = false;
        var accepted = 0;
        for (var i = from; i < to; i++)
        {
            var strand = _strands[i];
            if (strand.State.Next(value) is not { } next)
            {
                continue;
            }

            var count = next.CompletesCharacter ? strand.Count + 1 : strand.Count;
            if (strand.Terminal.MaxCount != int.MaxValue && count + next.MinCharacters > strand.Terminal.MaxCount)
            {
                continue;
            }

            if (!next.IsFinal)
            {
                var same = strand with { State = next, Count = count };
                if (accepted == 0 || !Contains(to, same))
                {
                    Add(same);
                }
            }

            if (next.Tag >= 0 && count >= strand.Terminal.MinCount)
            {
                var closure = strand.Resume(next.Tag).Closure;
                canEnd |= closure.CanEnd;
                foreach (var following in closure.Strands)
                {
                    if (_count == to || !Contains(to, following))
                    {
                        Add(following);
                    }
                }

                accepted++;
            }
        }

        _canEnd[Depth - 1] = canEnd;
        if (_count == to && !canEnd)
        {
            Pop(Depth - 1);
            return false;
        }

        return true;
    }

    /// <summary>Drops sets until so many are left.</summary>
    public void Pop(int depth)
    {
        if (depth < Depth)
        {
            _count = _starts[depth];
            Depth = depth;
        }
    }

    private void Begin()
    {
        if (Depth == _starts.Length)
        {
            Array.Resize(ref _starts, Depth * 2);
            Array.Resize(ref _canEnd, Depth * 2);
        }

        _starts[Depth++] = _count;
    }

    private bool Contains(int from, in Strand strand)
    {
        for (var i = from; i < _count; i++)
        {
            ref readonly var other = ref _strands[i];
            if (ReferenceEquals(other.State, strand.State) && ReferenceEquals(other.After, strand.After)
                && other.Count == strand.Count && ReferenceEquals(other.Terminal, strand.Terminal))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(in Strand strand)
    {
        if (_count == _strands.Length)
        {
            Array.Resize(ref _strands, _count * 2);
        }

        _strands[_count++] = strand;
    }
}
