using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>One way in which the bytes so far can be read: within a terminal, after which a node follows.</summary>
internal readonly record struct Strand(Terminal Terminal, ByteState State, int Count, Node After)
{
    /// <summary>Where to go on when the terminal ends with the state's tag.</summary>
    public Node Resume(int tag) => After.Production.Resume(After, tag);

    /// <summary>Whether the terminal is complete, so that what follows it is a strand of its own.</summary>
    public bool IsComplete => State.Tag >= 0 && Count >= Terminal.MinCount;

    /// <summary>The fewest bytes to the end of the whole grammar, when the terminal ends with its cheapest tag.</summary>
    public int MinBytes => Cheapest().Bytes;

    /// <summary>Whether a byte can follow.</summary>
    public bool Allows(byte value, out ByteState? next, out int count)
    {
        next = State.Next(value);
        count = Count;
        if (next is null)
        {
            return false;
        }

        count += next.CompletesCharacter ? 1 : 0;
        return (Terminal.MaxCount == int.MaxValue || count + next.MinCharacters <= Terminal.MaxCount)
            && (!next.IsFinal || count >= Terminal.MinCount);
    }

    /// <summary>Whether the cheapest way is to end the terminal here, as a number may, and with which tag.</summary>
    public bool EndsHere(out int tag)
    {
        (_, tag) = Cheapest();
        return Within(State, Count, tag) == 0;
    }

    /// <summary>The first byte of a shortest way to the end of the grammar, and where it leads.</summary>
    public (byte Value, ByteState Next, int Count, int Tag) ShortestStep()
    {
        var (_, tag) = Cheapest();
        var within = Within(State, Count, tag);
        for (var i = 0; i < 256; i++)
        {
            // Letters first: where any character will do, the filler is an "a". The beginnings of longer characters last:
            // to find the way on from each takes a walk over all of them.
            var value = (byte)(i < 128 ? ('a' + i) & 127 : 383 - i);
            // By one byte, or by more where a text is shorter as it is than in JSON, which distances are counted in.
            if (Allows(value, out var next, out var count) && Within(next!, count, tag) < within)
            {
                return (value, next!, count, tag);
            }
        }

        throw new InvalidOperationException("No way leads to the end of the grammar.");
    }

    private (int Bytes, int Tag) Cheapest()
    {
        var best = (Bytes: int.MaxValue, Tag: 0);
        foreach (var tag in State.Tags)
        {
            var within = Within(State, Count, tag);
            if (within < best.Bytes)
            {
                var bytes = within + Resume(tag).MinBytes;
                best = bytes < best.Bytes ? (bytes, tag) : best;
            }
        }

        return best;
    }

    private int Within(ByteState state, int count, int tag)
        => state.MinBytesTo(tag) is var bytes && bytes == int.MaxValue
            ? int.MaxValue
            : bytes + Math.Max(0, Terminal.MinCount - count - state.MinCharacters);
}

/// <summary>The terminals that can begin at a node, and whether everything can end there.</summary>
internal sealed class Closure
{
    private readonly List<Strand> _strands = [];
    private readonly HashSet<Node> _visited = [];

    public Strand[] Strands { get; private set; } = [];

    public bool CanEnd { get; private set; }

    /// <summary>Whether text can follow, and not only special tokens or the end.</summary>
    public bool HasText { get; private set; }

    /// <summary>Adds a terminal, after which <paramref name="after"/> follows.</summary>
    public void Scan(Terminal terminal, Node after)
    {
        if (terminal.Start.Tag >= 0 && terminal.MinCount == 0)
        {
            Follow(after.Production.Resume(after, terminal.Start.Tag));
        }

        if (!terminal.Start.IsFinal)
        {
            _strands.Add(new Strand(terminal, terminal.Start, 0, after));
        }
    }

    /// <summary>Adds all that can come at another node.</summary>
    public void Follow(Node node)
    {
        if (_visited.Add(node))
        {
            node.Production.Expand(node, this);
        }
    }

    public void End() => CanEnd = true;

    public void Seal()
    {
        Strands = [.. _strands.Distinct()];
        HasText = Strands.Any(strand => !strand.State.BeginsSpecial);
        _strands.Clear();
        _visited.Clear();
    }
}
