using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// Everything that the driver's KV cache holds, as one radix tree for each list of adapters (RadixAttention: Zheng et
/// al., SGLang, NeurIPS 2024). A request forks the tree without copying cells, works on a leaf of its own, and leaves
/// it behind for those who come after. Called by the scheduler's thread only.
/// </summary>
internal sealed partial class KvTree
{
    private readonly IModelDriver _driver;
    private readonly DriverInfo _info;
    private readonly Dictionary<AdapterSet, KvNode> _roots = [];
    private readonly HashSet<KvNode> _leaves = [];
    private readonly Stack<int> _freeSequences;
    private readonly HashSet<KvNode> _withLogits = [];
    private readonly Stack<float[]> _spareRows = [];
    private readonly int _logitsRows;
    private readonly long _stateBytes;
    private readonly StateCache _states;
    private readonly DiskStates? _disk;
    private readonly Func<string, string?> _contentOf;
    private long _clock;
    private double _inflation;

    /// <summary>Creates an empty tree over an empty cache.</summary>
    /// <param name="driver">Whose cache it is.</param>
    /// <param name="logitsRows">For how many nodes the logits after them are kept.</param>
    /// <param name="stateBytes">Main memory for evicted sequences; 0 for none.</param>
    /// <param name="disk">Sequences on disk; null for none. The tree does not own it.</param>
    /// <param name="contentOf">The hash of a loaded adapter's content by its name; null where it is not known.</param>
    public KvTree(IModelDriver driver, int logitsRows, long stateBytes, DiskStates? disk = null, Func<string, string?>? contentOf = null)
    {
        _contentOf = contentOf ?? (_ => null);
        _disk = disk;
        _stateBytes = stateBytes;
        _driver = driver;
        _info = driver.Info;
        _states = new StateCache(stateBytes, whole: !_info.CanCut);
        _logitsRows = logitsRows;
        _freeSequences = new Stack<int>(Enumerable.Range(0, _info.MaxSequences).Reverse());
    }

    /// <summary>Cells that hold something.</summary>
    public int CellsUsed { get; private set; }

    /// <summary>Cells without use.</summary>
    public int CellsFree => _info.ContextSize - CellsUsed;

    /// <summary>Cells evicted so far.</summary>
    public long Evicted { get; private set; }

    /// <summary>Told of each eviction: whose request worked on the cells last, and how many they were.</summary>
    public Action<string?, int>? OnEvicted { get; init; }

    /// <summary>All leaves.</summary>
    public IReadOnlyCollection<KvNode> Leaves => _leaves;

    /// <summary>The roots by their adapters.</summary>
    public IReadOnlyDictionary<AdapterSet, KvNode> Roots => _roots;

    /// <summary>Sequences that nothing uses.</summary>
    public IReadOnlyCollection<int> FreeSequences => _freeSequences;

    /// <summary>Finds the longest beginning of a text.</summary>
    /// <param name="plan">The adapters that it is computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <returns>What was found; at least the root.</returns>
    public KvMatch Match(AdapterPlan plan, ReadOnlySpan<int> tokens)
    {
        var root = Root(plan.At(0));
        var best = new KvMatch(root, 0, 0);
        if (_info.CanCut)
        {
            Walk(root, plan, tokens, ref best);
            return best;
        }

        // Without the logits after it, the very end of a text is of no use.
        WalkWhole(root, plan, _logitsRows > 0 || tokens.IsEmpty ? tokens : tokens[..^1], ref best);
        return best;
    }

    /// <summary>Gives a request a leaf of its own after a match.</summary>
    /// <param name="match">Where it begins.</param>
    /// <param name="adapters">The adapters from there on.</param>
    /// <param name="owner">The request.</param>
    /// <returns>The leaf, without tokens; null where no sequence is free and none could be made so.</returns>
    public KvNode? Fork(KvMatch match, AdapterSet adapters, Work owner)
    {
        var node = match.Node;
        var length = match.Length;
        Touch(node);
        if (!_info.CanCut)
        {
            return ForkWhole(match, adapters, owner);
        }

        if (!CanAdopt(node, length))
        {
            // Evicting may join nodes, so that the match's offset changes; its length does not.
            node.Pins++;
            var free = _freeSequences.Count > 0 || EvictSequence();
            node.Pins--;
            if (!free && !(node.IsLeaf && node.Owner is null && Trim(node, length)))
            {
                return null;
            }
        }

        if (CanAdopt(node, length))
        {
            return Adopt(node, adapters, owner);
        }

        var leaf = new KvNode
        {
            Start = length,
            Sequence = _freeSequences.Pop(),
            Owner = owner,
            Adapters = adapters,
            Agent = owner.Origin.Agent,
        };
        if (length > 0)
        {
            _driver.CopySequence(SequenceBelow(node), leaf.Sequence, 0, length);
            node = Split(node, length - node.Start);
        }

        Attach(leaf, node);
        return leaf;
    }

    /// <summary>
    /// Ends a node at the end of a prompt, and keeps the logits after it, so that asking the same again computes
    /// nothing. Costs no sequence.
    /// </summary>
    /// <param name="leaf">A leaf with an owner.</param>
    /// <param name="end">The position after the prompt's last token, which is computed.</param>
    /// <param name="logits">The logits after that token.</param>
    public void Seal(KvNode leaf, int end, ReadOnlySpan<float> logits)
    {
        if (_logitsRows == 0 || end == 0)
        {
            return;
        }

        var node = _info.CanCut ? EndAt(leaf, end) : CheckpointBefore(leaf, end);
        Touch(leaf);
        if (node is null || node.EndLogits is not null)
        {
            return;
        }

        if (_withLogits.Count == _logitsRows)
        {
            DropLogits(_withLogits.MinBy(n => n.LastUsed)!);
        }

        if (!_spareRows.TryPop(out var row))
        {
            row = new float[logits.Length];
        }

        logits.CopyTo(row);
        node.EndLogits = row;
        _withLogits.Add(node);
    }

    /// <summary>Notes that the next planned tokens of a leaf are in the cache now.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="count">How many.</param>
    public void Advance(KvNode leaf, int count)
    {
        leaf.Computed += count;
        leaf.Saved = false;
        CellsUsed += count;
    }

    /// <summary>Enters that what a leaf has computed lies in the cells of a leaf beside it.</summary>
    /// <param name="leaf">A leaf with an owner, whose tokens joined those of the other in a batch.</param>
    public void Share(KvNode leaf) => Join(Split(leaf, leaf.Computed));

    /// <summary>Cuts a leaf's run; what is planned goes too.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="end">The position to cut at; not before the leaf's start.</param>
    /// <returns>False where this model's cache cannot be cut there; nothing was changed then.</returns>
    public bool Trim(KvNode leaf, int end)
    {
        end = Math.Clamp(end, leaf.Start, leaf.ComputedEnd);
        if (!_driver.RemoveSequence(leaf.Sequence, end, int.MaxValue))
        {
            return false;
        }

        CellsUsed -= leaf.ComputedEnd - end;
        leaf.Computed = end - leaf.Start;
        if (leaf.Tokens.Count > leaf.Computed)
        {
            DropLogits(leaf);
            leaf.Tokens.RemoveRange(leaf.Computed, leaf.Tokens.Count - leaf.Computed);
        }

        return true;
    }

    /// <summary>Takes the owner off a leaf, and leaves what it computed for those who come after.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="keep">Positions from this one on are not worth keeping.</param>
    public void Release(KvNode leaf, int keep = int.MaxValue)
    {
        leaf.Owner = null;
        if (!Trim(leaf, keep) || leaf.Computed == 0)
        {
            Remove(leaf);
            return;
        }

        Touch(leaf);
        if (_info.CanCut)
        {
            var parent = Join(leaf).Parent!;
            MergeWithOnlyChild(parent);
        }
    }

    /// <summary>Takes a leaf out with all its cells, its owner notwithstanding.</summary>
    /// <param name="leaf">The leaf.</param>
    public void Remove(KvNode leaf)
    {
        leaf.Owner = null;
        var parent = leaf.Parent!;
        parent.Children.Remove(leaf);
        _leaves.Remove(leaf);
        CellsUsed -= leaf.Computed;
        DropLogits(leaf);
        if (parent.Children.Count == 0 && parent.Parent is not null && _driver.RemoveSequence(leaf.Sequence, leaf.Start, int.MaxValue))
        {
            parent.Sequence = leaf.Sequence;
            _leaves.Add(parent);
        }
        else
        {
            _driver.RemoveSequence(leaf.Sequence, 0, int.MaxValue);
            _freeSequences.Push(leaf.Sequence);
            while (parent.Children.Count == 0 && parent.Parent is { } above)
            {
                // The sequence couldn't be cut to this node's end, and no other holds its cells.
                above.Children.Remove(parent);
                CellsUsed -= parent.Computed;
                DropLogits(parent);
                parent = above;
            }

            MergeWithOnlyChild(parent);
        }

        leaf.Sequence = -1;
    }

    /// <summary>Marks a path as used now.</summary>
    public void Touch(KvNode node)
    {
        _clock++;
        for (var at = node; at is not null; at = at.Parent)
        {
            at.LastUsed = _clock;

            // GreedyDual-Size (Cao and Irani, USENIX ITS 1997): cost by size, raised by what was evicted since. A token
            // costs a pass over the weights, and attention that grows with its position. What can be cut is given up
            // by the cell; what can't takes a sequence, however many tokens it saves.
            at.Worth = _inflation + ((1 + (at.End / 4096.0)) * (_info.CanCut || !at.IsLeaf ? 1 : Recomputed(at)));
        }
    }

    /// <summary>Whether a request can go on in a leaf that ends just there.</summary>
    private static bool CanAdopt(KvNode node, int length) => node.IsLeaf && node.Owner is null && node.End == length;

    private KvNode Adopt(KvNode node, AdapterSet adapters, Work owner)
    {
        if (node.EndLogits is null && node.Adapters == adapters)
        {
            node.Owner = owner;
            node.Agent = owner.Origin.Agent;
            return node;
        }

        var leaf = new KvNode
        {
            Start = node.End,
            Sequence = node.Sequence,
            Owner = owner,
            Adapters = adapters,
            Agent = owner.Origin.Agent,
        };
        node.Sequence = -1;
        _leaves.Remove(node);
        Attach(leaf, node);
        return leaf;
    }

    private void Attach(KvNode leaf, KvNode parent)
    {
        leaf.Parent = parent;
        parent.Children.Add(leaf);
        _leaves.Add(leaf);
        Touch(leaf);
    }

    private void DropLogits(KvNode node)
    {
        if (node.EndLogits is { } row)
        {
            node.EndLogits = null;
            _withLogits.Remove(node);
            _spareRows.Push(row);
        }
    }

    private static void Walk(KvNode node, AdapterPlan plan, ReadOnlySpan<int> rest, ref KvMatch best)
    {
        foreach (var child in node.Children)
        {
            var length = plan.Reach(child.Start, child.MatchLength(rest));
            if (length == 0 || child.Adapters != plan.At(child.Start))
            {
                continue;
            }

            var computed = Math.Min(length, child.Computed);
            if (child.Start + length > best.Planned)
            {
                best = best with { Planned = child.Start + length, Planner = child };
            }

            if (child.Start + computed > best.Length)
            {
                best = best with { Node = child, Offset = computed };
            }

            if (length == child.Tokens.Count && child.Computed == length)
            {
                Walk(child, plan, rest[length..], ref best);
            }
        }
    }

    private static int SequenceBelow(KvNode node)
    {
        while (!node.IsLeaf)
        {
            node = node.Children[0];
        }

        return node.Sequence;
    }

    private KvNode Root(AdapterSet adapters)
    {
        if (!_roots.TryGetValue(adapters, out var root))
        {
            _roots[adapters] = root = new KvNode { Adapters = adapters };
        }

        return root;
    }
}
