namespace Orchestrator.Coordination.Protocols;

/// <summary>
/// Tells whether a message says anything new, by the share of its word trigrams that were said before. A turn costs
/// what its own length is, however long the conversation.
/// </summary>
internal sealed class Novelty
{
    private const int Words = 3;
    private const double RepeatedShare = 0.8;
    private readonly HashSet<ulong> _said = [];

    /// <summary>Takes a message in.</summary>
    /// <returns>Whether it repeats what was said before.</returns>
    internal bool IsRepetition(string text)
    {
        var total = 0;
        var known = 0;
        Span<ulong> last = stackalloc ulong[Words];
        last.Clear();
        var count = 0;
        var position = 0;
        while (NextWord(text, ref position) is { } word)
        {
            count++;
            last[0] = last[1];
            last[1] = last[2];
            last[2] = word;
            if (count >= Words)
            {
                total++;
                known += _said.Add(Combine(last)) ? 0 : 1;
            }
        }

        if (count < Words)
        {
            // Too short for a trigram: "I agree." is new once.
            return count == 0 || !_said.Add(Combine(last) ^ (ulong)count);
        }

        return known >= RepeatedShare * total;
    }

    private static ulong Combine(ReadOnlySpan<ulong> words)
    {
        var hash = 14695981039346656037UL;
        foreach (var word in words)
        {
            hash = (hash ^ word) * 1099511628211;
            hash ^= hash >> 29;
        }

        return hash;
    }

    /// <summary>The hash of the next word, case aside, or null at the end.</summary>
    private static ulong? NextWord(string text, ref int position)
    {
        while (position < text.Length && !char.IsLetterOrDigit(text[position]))
        {
            position++;
        }

        if (position == text.Length)
        {
            return null;
        }

        var hash = 14695981039346656037UL;
        while (position < text.Length && char.IsLetterOrDigit(text[position]))
        {
            hash = (hash ^ char.ToLowerInvariant(text[position++])) * 1099511628211;
        }

        return hash;
    }
}
