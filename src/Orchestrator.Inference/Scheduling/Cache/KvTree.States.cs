namespace Orchestrator.Inference.Scheduling.Cache;

/// <content>Keeping evicted sequences in main memory.</content>
internal sealed partial class KvTree
{
    /// <summary>Fewer tokens are computed again as fast as they are read back.</summary>
    private const int LeastWorthSaving = 32;

    /// <summary>Tokens read back so far.</summary>
    public long Restored { get; private set; }

    /// <summary>
    /// Brings back an evicted sequence where it holds clearly more of a text than the tree does.
    /// </summary>
    /// <param name="plan">What the text is computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="found">How much of it the tree holds.</param>
    /// <returns>Whether the tree holds more of it now.</returns>
    public bool TryRestore(AdapterPlan plan, ReadOnlySpan<int> tokens, int found)
    {
        if (_states.Bytes == 0 || _states.Find(plan, tokens, !_info.CanCut) is not var (entry, length)
            || length < found + LeastWorthSaving)
        {
            return false;
        }

        var needed = entry.Tokens.Length - CellsFree;
        if ((needed > 0 && (CountEvictable() < needed || !Evict(needed))) || (_freeSequences.Count == 0 && !EvictSequence()))
        {
            return false;
        }

        _states.Remove(entry);
        var sequence = _freeSequences.Pop();
        try
        {
            if (!_driver.LoadSequence(sequence, entry.State))
            {
                _freeSequences.Push(sequence);
                return false;
            }
        }
        catch (InvalidDataException)
        {
            // A damaged state is computed again.
            _driver.RemoveSequence(sequence, 0, int.MaxValue);
            _freeSequences.Push(sequence);
            return false;
        }

        Insert(entry.Plan, entry.Tokens, sequence);
        return true;
    }

    private void Insert(AdapterPlan plan, int[] tokens, int sequence)
    {
        var parent = Root(plan.At(0));
        var shared = 0;
        if (_info.CanCut)
        {
            var match = Match(plan, tokens);
            shared = match.Length;
            if (shared == tokens.Length)
            {
                _driver.RemoveSequence(sequence, 0, int.MaxValue);
                _freeSequences.Push(sequence);
                return;
            }

            if (shared > 0)
            {
                _driver.RemoveSequence(sequence, 0, shared);
                _driver.CopySequence(SequenceBelow(match.Node), sequence, 0, shared);
                parent = CanAdopt(match.Node, shared) ? match.Node : Split(match.Node, match.Offset);
            }
        }

        CellsUsed += tokens.Length - shared;
        Restored += tokens.Length - shared;
        if (parent.IsLeaf)
        {
            DropSequence(parent);
        }

        if (shared < plan.Start && plan.Start < tokens.Length)
        {
            var before = Run(plan.Before, tokens, shared, plan.Start);
            before.Parent = parent;
            parent.Children.Add(before);
            (parent, shared) = (before, plan.Start);
        }

        var leaf = Run(plan.At(shared), tokens, shared, tokens.Length);
        leaf.Sequence = sequence;
        Attach(leaf, parent);
        MergeWithOnlyChild(parent);
    }

    private static KvNode Run(AdapterSet adapters, int[] tokens, int start, int end) => new()
    {
        Start = start,
        Tokens = [.. tokens.AsSpan(start..end)],
        Computed = end - start,
        Adapters = adapters,
    };

    private static AdapterPlan PlanOf(KvNode leaf)
    {
        var first = leaf;
        while (first.Parent is { } parent && parent.Adapters == leaf.Adapters)
        {
            first = parent;
        }

        return AdapterPlan.From((first.Parent ?? first).Adapters, leaf.Adapters, first.Start);
    }

    /// <summary>Saves a leaf that is about to be evicted, if it is long, and most of it is its own.</summary>
    private void Save(KvNode leaf)
    {
        if (_stateBytes == 0 || leaf.Saved || leaf.Computed < LeastWorthSaving || leaf.Computed < leaf.Start)
        {
            return;
        }

        var tokens = new int[leaf.ComputedEnd];
        for (var node = leaf; node is not null; node = node.Parent)
        {
            node.Tokens.CopyTo(0, tokens, node.Start, Math.Min(node.Tokens.Count, tokens.Length - node.Start));
        }

        _states.Add(PlanOf(leaf), tokens, _driver.SaveSequence(leaf.Sequence));
        leaf.Saved = true;
    }
}
