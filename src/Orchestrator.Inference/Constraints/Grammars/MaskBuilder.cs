using System.Runtime.InteropServices;
using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>
/// Finds the tokens that a set of strands allows, by walking the token trie. Strands within a wide terminal (a string)
/// take the part of the mask that does not depend on what follows from the terminal's cache, and walk only below the
/// nodes where the terminal ends.
/// </summary>
internal sealed class MaskBuilder(TokenTrie trie)
{
    private readonly StrandStack _walk = new();
    private readonly List<Strand> _narrow = [];
    private readonly uint[] _scratch = new uint[trie.WordCount];
    private readonly ByteState?[] _path = new ByteState?[trie.MaxDepth + 1];
    private readonly ByteState?[] _basePath = new ByteState?[trie.MaxDepth + 1];
    private readonly int[] _counts = new int[trie.MaxDepth + 1];

    public void Build(ReadOnlySpan<Strand> strands, bool canEnd, Span<uint> mask)
    {
        mask.Clear();
        _narrow.Clear();
        foreach (var strand in strands)
        {
            if (!strand.State.IsWide)
            {
                _narrow.Add(strand);
                continue;
            }

            AllowWithin(strand, Get(strand.Terminal, strand.State, strand.Count), mask);
        }

        if (_narrow.Count > 0)
        {
            _walk.Pop(0);
            _walk.Push(CollectionsMarshal.AsSpan(_narrow), canEnd: false);
            Walk(0, mask);
        }

        if (canEnd)
        {
            foreach (var token in trie.EndTokens)
            {
                mask[token >> 5] |= 1u << (token & 31);
            }
        }
    }

    private void AllowWithin(in Strand strand, TokenMask known, Span<uint> mask)
    {
        // A special token is a token of its own: none follows within another. So free text, which may end behind any
        // letter, costs no look behind each.
        var bits = known.Bits;
        var hasExits = strand.State.Tags is not [var tag] || strand.Resume(tag).Closure.HasText;
        if (known.Change is { } change)
        {
            // What other strands allow must stay, so what is forbidden is taken out of a copy.
            bits = _scratch;
            known.Bits.CopyTo(bits, 0);
            foreach (var node in change.Forbidden)
            {
                trie.Forbid(bits, node);
            }

            foreach (var node in change.Allowed)
            {
                trie.Allow(bits, node);
            }

            foreach (var exit in hasExits ? change.Exits : [])
            {
                AllowBehind(strand, exit, mask);
            }
        }

        for (var i = 0; i < bits.Length; i++)
        {
            mask[i] |= bits[i];
        }

        foreach (var exit in hasExits ? known.Exits : [])
        {
            if (known.Change?.NoExits.Contains(exit.Node) != true)
            {
                AllowBehind(strand, exit, mask);
            }
        }
    }

    private void AllowBehind(in Strand strand, TokenExit exit, Span<uint> mask)
    {
        var closure = strand.Resume(exit.Tag).Closure;
        if (closure.HasText)
        {
            _walk.Pop(0);
            _walk.Push(closure.Strands, canEnd: false);
            Walk(exit.Node, mask);
        }
    }

    /// <summary>Allows the tokens below a node that the strands on the walk allow.</summary>
    private void Walk(int root, Span<uint> mask)
    {
        var rootDepth = trie.Depths[root];
        var end = trie.Ends[root];
        var node = root + 1;
        while (node < end)
        {
            _walk.Pop(trie.Depths[node] - rootDepth);
            if (!_walk.TryStep(trie.Bytes[node]))
            {
                node = trie.Ends[node];
                continue;
            }

            trie.Allow(mask, node);
            node++;
        }
    }

    private TokenMask Get(Terminal terminal, ByteState state, int count)
    {
        // When so many characters may follow, no token can reach the bound, nor a place from which it can't be kept.
        var unbounded = trie.MaxDepth + state.MostCharactersNeeded;
        var may = terminal.MaxCount == int.MaxValue ? unbounded : Math.Min(unbounded, terminal.MaxCount - count);
        var must = Math.Clamp(terminal.MinCount - count, 0, trie.MaxDepth + 1);
        if (state.Masks.TryGet(may, must, out var mask))
        {
            return mask!;
        }

        mask = state.Base is { } similar && may == unbounded && must == 0
            ? Difference(state, similar)
            : Compute(state, may, must, may < unbounded);
        state.Masks.Add(may, must, mask);
        return mask;
    }

    private TokenMask Compute(ByteState start, int may, int must, bool isBounded)
    {
        var bits = new uint[trie.WordCount];
        var exits = new List<TokenExit>();
        _path[0] = start;
        _counts[0] = 0;
        var node = 1;
        while (node < trie.Bytes.Length)
        {
            var depth = trie.Depths[node];
            if (_path[depth - 1]!.Next(trie.Bytes[node]) is not { } next)
            {
                node = trie.Ends[node];
                continue;
            }

            var count = _counts[depth - 1] + (next.CompletesCharacter ? 1 : 0);
            var live = !isBounded || count + next.MinCharacters <= may;
            var ends = next.Tag >= 0 && count >= must && live;
            if (ends && trie.Ends[node] > node + 1)
            {
                exits.Add(new TokenExit(node, next.Tag));
            }

            if (ends || (live && !next.IsFinal))
            {
                trie.Allow(bits, node);
            }

            if (!live || next.IsFinal)
            {
                node = trie.Ends[node];
                continue;
            }

            _path[depth] = next;
            _counts[depth] = count;
            node++;
        }

        return new TokenMask(bits, [.. exits]);
    }

    /// <summary>
    /// The mask of a state that is like another one but for a few words (the known keys of an object): walks only
    /// where the two differ.
    /// </summary>
    private TokenMask Difference(ByteState start, ByteState similar)
    {
        var known = Get(new Terminal(similar), similar, 0);
        var (allowed, forbidden, exits, noExits) = (new List<int>(), new List<int>(), new List<TokenExit>(), new HashSet<int>());
        _path[0] = start;
        _basePath[0] = similar;
        var node = 1;
        while (node < trie.Bytes.Length)
        {
            var depth = trie.Depths[node];
            var next = _path[depth - 1]!.Next(trie.Bytes[node]);
            var other = _basePath[depth - 1]?.Next(trie.Bytes[node]);
            if (ReferenceEquals(next, other))
            {
                node = trie.Ends[node];
                continue;
            }

            noExits.Add(node);
            (next is null ? forbidden : allowed).Add(node);
            if (next is { Tag: >= 0 } && trie.Ends[node] > node + 1)
            {
                exits.Add(new TokenExit(node, next.Tag));
            }

            if (next is null or { IsFinal: true })
            {
                for (var below = node + 1; below < trie.Ends[node]; below++)
                {
                    noExits.Add(below);
                    forbidden.Add(below);
                }

                node = trie.Ends[node];
                continue;
            }

            _path[depth] = next;
            _basePath[depth] = other;
            node++;
        }

        return new TokenMask(known.Bits, known.Exits, new TokenMaskChange([.. allowed], [.. forbidden], [.. exits], noExits));
    }
}
