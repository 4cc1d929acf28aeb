namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>
/// The vocabulary's tokens as a trie of bytes, laid out in depth-first order, so that a walk is one forward scan
/// that skips the subtrees of bytes that are not allowed. Special tokens are in it under their spelling.
/// </summary>
internal sealed class TokenTrie
{
    private readonly int[] _sameBytes;

    public TokenTrie(ITokenVocabulary vocabulary)
    {
        Size = vocabulary.Size;
        _sameBytes = new int[Size];
        Array.Fill(_sameBytes, -1);
        var tokens = new List<int>();
        var ends = new List<int>();
        for (var token = 0; token < Size; token++)
        {
            if (vocabulary.IsEndOfGeneration(token))
            {
                ends.Add(token);
            }

            // A special token without a text can't be asked for, and no text has the byte that spells special tokens.
            if (TokenSpelling.IsMarked(vocabulary, token)
                ? vocabulary.GetSpecialText(token) is not null
                : vocabulary.GetBytes(token) is { Length: > 0 } text && !text.Contains(TokenSpelling.Mark) && !vocabulary.IsEndOfGeneration(token))
            {
                tokens.Add(token);
            }
        }

        EndTokens = [.. ends];
        tokens.Sort((a, b) =>
        {
            var order = TokenSpelling.Of(vocabulary, a).SequenceCompareTo(TokenSpelling.Of(vocabulary, b));
            return order != 0 ? order : a.CompareTo(b);
        });
        var bytes = new List<byte> { 0 };
        var token1 = new List<int> { -1 };
        var depth = new List<int> { 0 };
        var end = new List<int> { 0 };
        var path = new List<int> { 0 };
        var previous = ReadOnlySpan<byte>.Empty;
        foreach (var token in tokens)
        {
            var text = TokenSpelling.Of(vocabulary, token);
            var common = previous.CommonPrefixLength(text);
            if (common == text.Length)
            {
                // The sort put an equal text right before this one.
                var node = path[^1];
                _sameBytes[token] = token1[node];
                token1[node] = token;
                continue;
            }

            for (var d = path.Count - 1; d > common; d--)
            {
                end[path[d]] = bytes.Count;
                path.RemoveAt(d);
            }

            for (var d = common; d < text.Length; d++)
            {
                path.Add(bytes.Count);
                bytes.Add(text[d]);
                token1.Add(-1);
                depth.Add(d + 1);
                end.Add(0);
            }

            token1[path[^1]] = token;
            MaxDepth = Math.Max(MaxDepth, text.Length);
            previous = text;
        }

        foreach (var node in path)
        {
            end[node] = bytes.Count;
        }

        Bytes = [.. bytes];
        Tokens = [.. token1];
        Depths = [.. depth];
        Ends = [.. end];
    }

    /// <summary>The number of tokens in the vocabulary, those outside the trie included.</summary>
    public int Size { get; }

    /// <summary>The longest token in bytes.</summary>
    public int MaxDepth { get; }

    public int WordCount => (Size + 31) / 32;

    public int[] EndTokens { get; }

    /// <summary>The byte that leads to node i; node 0 is the root.</summary>
    public byte[] Bytes { get; }

    /// <summary>A token that ends at node i, or −1.</summary>
    public int[] Tokens { get; }

    /// <summary>The number of bytes from the root to node i.</summary>
    public int[] Depths { get; }

    /// <summary>The index behind the last node of the subtree of node i.</summary>
    public int[] Ends { get; }

    /// <summary>The longest token that a text begins with; −1 where there is none.</summary>
    public (int Token, int Length) Longest(ReadOnlySpan<byte> text)
    {
        var best = (Token: -1, Length: 0);
        var parent = 0;
        for (var depth = 0; depth < text.Length; depth++)
        {
            var node = parent + 1;
            while (node < Ends[parent] && Bytes[node] != text[depth])
            {
                node = Ends[node];
            }

            if (node >= Ends[parent])
            {
                break;
            }

            parent = node;
            best = Tokens[node] >= 0 ? (Tokens[node], depth + 1) : best;
        }

        return best;
    }

    /// <summary>Sets the bits of all tokens that end at a node.</summary>
    public void Allow(Span<uint> mask, int node)
    {
        for (var token = Tokens[node]; token >= 0; token = _sameBytes[token])
        {
            mask[token >> 5] |= 1u << (token & 31);
        }
    }

    /// <summary>Clears the bits of all tokens that end at a node.</summary>
    public void Forbid(Span<uint> mask, int node)
    {
        for (var token = Tokens[node]; token >= 0; token = _sameBytes[token])
        {
            mask[token >> 5] &= ~(1u << (token & 31));
        }
    }
}
