using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// A run of tokens in the KV tree. Only leaves own a sequence of the driver, which holds the whole path from the
/// root; an inner node's cells are held by the sequences of the leaves below it.
/// </summary>
internal sealed class KvNode
{
    /// <summary>The node before this one; null for a root.</summary>
    public KvNode? Parent { get; set; }

    /// <summary>
    /// The tokens of this run. On a leaf that a request works on, those past <see cref="Computed"/> are planned.
    /// </summary>
    public List<int> Tokens { get; set; } = [];

    /// <summary>The position of the first token.</summary>
    public int Start { get; set; }

    /// <summary>How many of the tokens are in the cache.</summary>
    public int Computed { get; set; }

    /// <summary>What follows. Two children may begin alike while both are being generated.</summary>
    public List<KvNode> Children { get; } = [];

    /// <summary>The adapters that it is computed under.</summary>
    public AdapterSet Adapters { get; set; } = AdapterSet.None;

    /// <summary>The agent whose request worked on it last; null where none was named.</summary>
    public string? Agent { get; set; }

    /// <summary>The driver's sequence that this leaf owns; −1 on inner nodes and roots.</summary>
    public int Sequence { get; set; } = -1;

    /// <summary>The request that works on this leaf.</summary>
    public object? Owner { get; set; }

    /// <summary>
    /// Where others wait to go on from what is planned; a batch ends there, so that they and the owner go on together.
    /// </summary>
    public int Halt { get; set; }

    /// <summary>Above 0, the node must not be evicted now.</summary>
    public int Pins { get; set; }

    /// <summary>When the node was last used, in ticks of the tree.</summary>
    public long LastUsed { get; set; }

    /// <summary>What keeping it is worth; the lowest goes first.</summary>
    public double Worth { get; set; }

    /// <summary>Whether main memory holds the leaf's state.</summary>
    public bool Saved { get; set; }

    /// <summary>The logits after the last token, where they were kept.</summary>
    public float[]? EndLogits { get; set; }

    /// <summary>The position after the last token.</summary>
    public int End => Start + Tokens.Count;

    /// <summary>The position after the last computed token.</summary>
    public int ComputedEnd => Start + Computed;

    /// <summary>Whether nothing follows and it is no root.</summary>
    public bool IsLeaf => Sequence >= 0;

    /// <summary>How many tokens of this run equal those of a text from a position on.</summary>
    public int MatchLength(ReadOnlySpan<int> text) =>
        CollectionsMarshal.AsSpan(Tokens).CommonPrefixLength(text);
}
