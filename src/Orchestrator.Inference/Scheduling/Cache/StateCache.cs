namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// Sequences that were evicted from the KV cache, in main memory. Reading one back costs a copy where computing it
/// again would cost a pass over the weights for each batch. The least recently used go first. The driver's states
/// carry a checksum.
/// </summary>
internal sealed class StateCache(long capacity)
{
    private readonly LinkedList<Entry> _entries = [];

    /// <summary>Bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps a sequence.</summary>
    /// <param name="adapters">What it was computed under.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="state">Its state.</param>
    public void Add(AdapterSet adapters, int[] tokens, byte[] state)
    {
        if (state.Length > capacity)
        {
            return;
        }

        // A sequence that this one continues is of no more use.
        for (var at = _entries.First; at is not null;)
        {
            var next = at.Next;
            if (at.Value.Adapters == adapters && tokens.AsSpan().StartsWith(at.Value.Tokens))
            {
                Remove(at.Value);
            }

            at = next;
        }

        _entries.AddFirst(new Entry(adapters, tokens, state));
        Bytes += state.Length;
        while (Bytes > capacity)
        {
            Remove(_entries.Last!.Value);
        }
    }

    /// <summary>Finds the sequence that has the longest beginning in common with a text.</summary>
    /// <param name="adapters">What it is to be computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="whole">Whether all of the sequence must be the text's beginning.</param>
    /// <returns>The sequence and how much they have in common; null where there is none.</returns>
    public (Entry Entry, int Length)? Find(AdapterSet adapters, ReadOnlySpan<int> tokens, bool whole)
    {
        (Entry Entry, int Length)? best = null;
        foreach (var entry in _entries)
        {
            if (entry.Adapters == adapters)
            {
                var length = entry.Tokens.AsSpan().CommonPrefixLength(tokens);
                if (length > (best?.Length ?? 0) && (!whole || length == entry.Tokens.Length))
                {
                    best = (entry, length);
                }
            }
        }

        return best;
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
    internal sealed record Entry(AdapterSet Adapters, int[] Tokens, byte[] State);
}
