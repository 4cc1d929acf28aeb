using System.Collections.Concurrent;

namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>
/// The tokens that stay within a terminal, or end exactly with it, from some state; and the nodes of the token trie
/// where the terminal ends and the rest of a longer token is for what follows.
/// </summary>
/// <param name="Bits">The tokens.</param>
/// <param name="Exits">Where the terminal ends.</param>
/// <param name="Change">How this differs from what the bits and exits say, which are another state's; or null.</param>
internal sealed record TokenMask(uint[] Bits, TokenExit[] Exits, TokenMaskChange? Change = null);

/// <summary>The few tokens and exits by which a mask differs from that of a similar state.</summary>
/// <param name="Allowed">Tokens that are allowed beyond those, by their nodes.</param>
/// <param name="Forbidden">Tokens that are not, by their nodes.</param>
/// <param name="Exits">Exits beyond those.</param>
/// <param name="NoExits">Nodes that are no exits.</param>
internal sealed record TokenMaskChange(int[] Allowed, int[] Forbidden, TokenExit[] Exits, HashSet<int> NoExits);

/// <summary>A trie node with which a terminal is accepted under a tag, and below which there are longer tokens.</summary>
internal readonly record struct TokenExit(int Node, int Tag);

/// <summary>The masks of a state, by the characters that still may and that still must follow.</summary>
internal sealed class TokenMaskCache
{
    private const int MaxEntries = 512;
    private readonly ConcurrentDictionary<(int May, int Must), TokenMask> _masks = new();

    public bool TryGet(int may, int must, out TokenMask? mask) => _masks.TryGetValue((may, must), out mask);

    public void Add(int may, int must, TokenMask mask)
    {
        if (_masks.Count < MaxEntries)
        {
            _masks.TryAdd((may, must), mask);
        }
    }
}
