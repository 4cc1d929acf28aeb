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
    /// <param name="adapters">What the text is computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="found">How much of it the tree holds.</param>
    /// <returns>Whether the tree holds more of it now.</returns>
    public bool TryRestore(AdapterSet adapters, ReadOnlySpan<int> tokens, int found)
    {
        if (_states.Bytes == 0 || _states.Find(adapters, tokens, !_info.CanCut) is not var (entry, length)
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

        Insert(adapters, entry.Tokens, sequence);
        return true;
    }

    private void Insert(AdapterSet adapters, int[] tokens, int sequence)
    {
        var parent = Root(adapters);
        var shared = 0;
        if (_info.CanCut)
        {
            var match = Match(adapters, tokens);
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

        var leaf = new KvNode
        {
            Start = shared,
            Tokens = [.. tokens.AsSpan(shared)],
            Computed = tokens.Length - shared,
            Sequence = sequence,
            Saved = false,
        };
        CellsUsed += leaf.Computed;
        Restored += leaf.Computed;
        if (parent.IsLeaf)
        {
            DropSequence(parent);
        }

        Attach(leaf, parent);
        MergeWithOnlyChild(parent);
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

        _states.Add(AdaptersOf(leaf), tokens, _driver.SaveSequence(leaf.Sequence));
        leaf.Saved = true;
    }
}
