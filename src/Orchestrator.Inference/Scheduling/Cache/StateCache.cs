namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// Sequences that were evicted from the KV cache, in main memory. Reading one back costs a copy where computing it
/// again would cost a pass over the weights for each batch. The least recently used go first. The driver's states
/// carry a checksum.
/// </summary>
/// <param name="capacity">The most bytes.</param>
/// <param name="whole">Whether a sequence is of use only where all of it is a text's beginning.</param>
internal sealed class StateCache(long capacity, bool whole)
{
    private readonly LinkedList<Entry> _entries = [];

    /// <summary>Bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps a sequence.</summary>
    /// <param name="plan">What it was computed under.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="state">Its state.</param>
    public void Add(AdapterPlan plan, int[] tokens, byte[] state)
    {
        if (state.Length > capacity)
        {
            return;
        }

        // A sequence that this one continues is of no more use, unless this one can't be cut back to it.
        for (var at = _entries.First; at is not null;)
        {
            var next = at.Next;
            if (tokens.AsSpan().StartsWith(at.Value.Tokens) && (!whole || tokens.Length == at.Value.Tokens.Length) && plan.CommonLength(at.Value.Plan, at.Value.Tokens.Length) == at.Value.Tokens.Length)
            {
                Remove(at.Value);
            }

            at = next;
        }

        _entries.AddFirst(new Entry(plan, tokens, state));
        Bytes += state.Length;
        while (Bytes > capacity)
        {
            Remove(_entries.Last!.Value);
        }
    }

    /// <summary>Finds the sequence that has the longest beginning in common with a text.</summary>
    /// <param name="plan">What it is to be computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <returns>The sequence and how much they have in common; null where there is none.</returns>
    public (Entry Entry, int Length)? Find(AdapterPlan plan, ReadOnlySpan<int> tokens)
    {
        (Entry Entry, int Length)? best = null;
        foreach (var entry in _entries)
        {
            var length = plan.CommonLength(entry.Plan, entry.Tokens.AsSpan().CommonPrefixLength(tokens));
            if (length > (best?.Length ?? 0) && (!whole || length == entry.Tokens.Length))
            {
                best = (entry, length);
            }
        }

        return best;
    }

    /// <summary>Drops all that was computed under an adapter.</summary>
    public void Forget(string adapter)
    {
        foreach (var entry in _entries.Where(e => e.Plan.After.Uses(adapter)).ToList())
        {
            Remove(entry);
        }
    }

    /// <summary>Drops a sequence.</summary>
    public void Remove(Entry entry)
    {
        if (_entries.Remove(entry))
        {
            Bytes -= entry.State.Length;
        }
    }

    /// <summary>A sequence with its state.</summary>
    internal sealed record Entry(AdapterPlan Plan, int[] Tokens, byte[] State);
}
