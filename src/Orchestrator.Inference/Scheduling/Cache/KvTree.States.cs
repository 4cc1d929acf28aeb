namespace Orchestrator.Inference.Scheduling.Cache;

/// <content>Keeping sequences in main memory and on disk.</content>
internal sealed partial class KvTree
{
    /// <summary>Fewer tokens are computed again as fast as they are read back.</summary>
    private const int LeastWorthSaving = 32;

    /// <summary>Tokens read back so far.</summary>
    public long Restored { get; private set; }

    /// <summary>Those of <see cref="Restored"/> that came from the disk.</summary>
    public long RestoredFromDisk { get; private set; }

    /// <summary>Bytes that the disk holds of this model.</summary>
    public long DiskBytes => _disk?.Bytes ?? 0;

    /// <summary>
    /// Brings back an evicted sequence where it holds clearly more of a text than the tree does.
    /// </summary>
    /// <param name="plan">What the text is computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="found">How much of it the tree holds.</param>
    /// <returns>Whether the tree holds more of it now.</returns>
    public bool TryRestore(AdapterPlan plan, ReadOnlySpan<int> tokens, int found)
    {
        var kept = _states.Find(plan, tokens);
        var saved = plan.Rename(_contentOf) is { } content ? _disk?.Find(content, tokens, !_info.CanCut) : null;
        if (saved is var (file, onDisk) && onDisk > (kept?.Length ?? 0))
        {
            var before = Restored;
            if (onDisk < found + LeastWorthSaving || file.Plan.Rename(name => NameOf(plan, name)) is not { } named
                || !MakeRoom(file.Tokens.Length) || _disk!.Read(file) is not { } state
                || !TryLoad(named, file.Tokens, state, reason => _disk.Discard(file, reason)))
            {
                return false;
            }

            RestoredFromDisk += Restored - before;
            return true;
        }

        if (kept is not var (entry, length) || length < found + LeastWorthSaving || !MakeRoom(entry.Tokens.Length))
        {
            return false;
        }

        _states.Remove(entry);
        return TryLoad(entry.Plan, entry.Tokens, entry.State, _ => { });
    }

    /// <summary>Saves what is worth it to the disk before the end. What was used last is written last, so that it stays longest.</summary>
    public void SaveToDisk()
    {
        if (_disk is null)
        {
            return;
        }

        foreach (var (leaf, plan, tokens) in WorthSaving(_disk).Reverse())
        {
            _disk.AddLast(plan, tokens, _driver.SaveSequence(leaf.Sequence));
        }
    }

    /// <summary>
    /// What the disk shall get, the last used first: what continues a saved sequence, which it then replaces, and sequences of
    /// which most is not saved yet.
    /// </summary>
    private IReadOnlyList<(KvNode Leaf, AdapterPlan Plan, int[] Tokens)> WorthSaving(DiskStates disk)
    {
        var chosen = new List<(KvNode Leaf, AdapterPlan Plan, int[] Tokens)>();
        foreach (var leaf in _leaves.Where(l => l.Owner is null).OrderByDescending(l => l.LastUsed))
        {
            if (PlanOf(leaf).Rename(_contentOf) is not { } plan)
            {
                continue;
            }

            var tokens = TokensOf(leaf);
            var onDisk = disk.Find(plan, tokens, !_info.CanCut);
            var known = onDisk?.Length ?? 0;
            foreach (var (_, other, text) in chosen)
            {
                var length = plan.CommonLength(other, text.AsSpan().CommonPrefixLength(tokens));
                known = _info.CanCut || length == text.Length ? Math.Max(known, length) : known;
            }

            var fresh = tokens.Length - known;
            if (fresh >= LeastWorthSaving && (fresh >= known || onDisk?.Entry.Tokens.Length == known))
            {
                chosen.Add((leaf, plan, tokens));
            }
        }

        return chosen;
    }

    /// <summary>What a plan calls the adapter of a content; null where it uses none such.</summary>
    private string? NameOf(AdapterPlan plan, string content) =>
        plan.Before.Adapters.Concat(plan.After.Adapters).FirstOrDefault(a => _contentOf(a.Name) == content)?.Name;

    private bool MakeRoom(int cells)
    {
        var needed = cells - CellsFree;
        return (needed <= 0 || (CountEvictable() >= needed && Evict(needed))) && (_freeSequences.Count > 0 || EvictSequence());
    }

    private bool TryLoad(AdapterPlan plan, int[] tokens, byte[] state, Action<string> onDamage)
    {
        var sequence = _freeSequences.Pop();
        try
        {
            if (_driver.LoadSequence(sequence, state))
            {
                Insert(plan, tokens, sequence);
                return true;
            }

            _freeSequences.Push(sequence);
            return false;
        }
        catch (InvalidDataException e)
        {
            // A damaged state is computed again.
            _driver.RemoveSequence(sequence, 0, int.MaxValue);
            _freeSequences.Push(sequence);
            onDamage(e.Message);
            return false;
        }
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
        // What can't be cut is of use as a whole only, whoever else holds the cells of its beginning.
        var (own, rest) = _info.CanCut ? (leaf.Computed, leaf.Start) : (Recomputed(leaf), 0);
        if ((_stateBytes == 0 && _disk is null) || leaf.Saved || own < LeastWorthSaving || own < rest)
        {
            return;
        }

        var (tokens, state) = (TokensOf(leaf), _driver.SaveSequence(leaf.Sequence));
        var plan = PlanOf(leaf);
        _states.Add(plan, tokens, state);
        if (plan.Rename(_contentOf) is { } content)
        {
            _disk?.Add(content, tokens, state);
        }

        leaf.Saved = true;
    }

    private static int[] TokensOf(KvNode leaf)
    {
        var tokens = new int[leaf.ComputedEnd];
        for (var node = leaf; node is not null; node = node.Parent)
        {
            node.Tokens.CopyTo(0, tokens, node.Start, Math.Min(node.Tokens.Count, tokens.Length - node.Start));
        }

        return tokens;
    }
}
