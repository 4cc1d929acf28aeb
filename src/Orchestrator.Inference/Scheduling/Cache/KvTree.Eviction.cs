namespace Orchestrator.Inference.Scheduling.Cache;

/// <content>Making room.</content>
internal sealed partial class KvTree
{
    /// <summary>Frees cells by giving up the least valuable leaves nobody works on, from their ends.</summary>
    /// <param name="cells">How many are wanted.</param>
    /// <returns>Whether so many were freed.</returns>
    public bool Evict(int cells)
    {
        while (cells > 0)
        {
            if ((Cheapest(FreesCells) ?? Cheapest()) is not { } leaf)
            {
                return false;
            }

            // Cut a little more than asked, so that the next step need not evict again.
            var cut = Math.Min(leaf.Computed, Math.Max(cells, 32));
            var before = CellsUsed;
            GiveUp(leaf, leaf.ComputedEnd - cut);
            cells -= before - CellsUsed;
        }

        return true;
    }

    /// <summary>How many cells <see cref="Evict"/> could free.</summary>
    public int CountEvictable()
    {
        var total = 0;
        foreach (var root in _roots.Values)
        {
            Unowned(root, ref total);
        }

        return total;

        static bool Unowned(KvNode node, ref int total)
        {
            var unowned = node.Owner is null && node.Pins == 0;
            foreach (var child in node.Children)
            {
                unowned &= Unowned(child, ref total);
            }

            total += unowned ? node.Computed : 0;
            return unowned;
        }
    }

    /// <summary>How many of a match's cells nobody works on, so that using them takes them from the evictable ones.</summary>
    public static int CountUnowned(KvMatch match)
    {
        var total = 0;
        var node = match.Node;
        for (var length = match.Offset; node is not null && !Owned(node); length = node?.Tokens.Count ?? 0)
        {
            total += length;
            node = node.Parent;
        }

        return total;

        static bool Owned(KvNode node) => node.Owner is not null || node.Children.Any(Owned);
    }

    /// <summary>Drops everything that was computed under an adapter; nobody works on it.</summary>
    /// <param name="adapter">Its name.</param>
    public void Forget(string adapter)
    {
        while (_leaves.FirstOrDefault(l => l.Adapters.Uses(adapter)) is { } leaf)
        {
            Remove(leaf);
        }

        foreach (var set in _roots.Keys.Where(s => s.Uses(adapter)).ToList())
        {
            _roots.Remove(set);
        }

        _states.Forget(adapter);
    }

    /// <summary>Drops everything that nobody works on.</summary>
    public void Clear()
    {
        while (Cheapest() is { } leaf)
        {
            Remove(leaf);
        }
    }

    private void GiveUp(KvNode leaf, int end)
    {
        Save(leaf);
        _inflation = Math.Max(_inflation, leaf.Worth);
        var before = CellsUsed;
        if (end <= leaf.Start || !Trim(leaf, end))
        {
            Remove(leaf);
        }

        Evicted += before - CellsUsed;
        OnEvicted?.Invoke(leaf.Agent, before - CellsUsed);
    }

    private bool EvictSequence()
    {
        while (_freeSequences.Count == 0)
        {
            if (Cheapest() is not { } leaf)
            {
                return false;
            }

            GiveUp(leaf, leaf.Start);
        }

        return true;
    }

    /// <summary>Whether a leaf holds cells that no other does; a checkpoint has none while something follows it.</summary>
    private static bool FreesCells(KvNode leaf) => leaf.Computed > 0 || leaf.Parent!.Children.Count == 1;

    private KvNode? Cheapest(Func<KvNode, bool>? among = null)
    {
        KvNode? best = null;
        foreach (var leaf in _leaves)
        {
            if (leaf.Owner is null && leaf.Pins == 0 && among?.Invoke(leaf) != false
                && (best is null || leaf.Worth < best.Worth || (leaf.Worth == best.Worth && leaf.LastUsed < best.LastUsed)))
            {
                best = leaf;
            }
        }

        return best;
    }
}
