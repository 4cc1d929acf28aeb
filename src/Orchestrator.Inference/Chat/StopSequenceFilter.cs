namespace Orchestrator.Inference.Chat;

/// <summary>
/// Lets text through up to the first stop sequence. Text that may be the beginning of one is held back until it is
/// decided, so that no part of a stop sequence is ever given out.
/// </summary>
internal sealed class StopSequenceFilter(IReadOnlyList<string> sequences)
{
    private string _held = "";

    /// <summary>The sequence that was met, or null.</summary>
    public string? Stopped { get; private set; }

    /// <summary>Takes text and gives what is safe to show.</summary>
    public string Append(string text)
    {
        if (Stopped is not null)
        {
            return "";
        }

        if (sequences.Count == 0)
        {
            return text;
        }

        var all = _held + text;
        // The sequence that is complete first stops the text, as it would if the text came letter by letter.
        var (first, end) = (-1, int.MaxValue);
        foreach (var sequence in sequences)
        {
            var at = all.IndexOf(sequence, StringComparison.Ordinal);
            if (at >= 0 && (at + sequence.Length < end || (at + sequence.Length == end && at < first)))
            {
                (first, end) = (at, at + sequence.Length);
                Stopped = sequence;
            }
        }

        if (Stopped is not null)
        {
            _held = "";
            return all[..first];
        }

        var held = sequences.Max(sequence => BeginningAtEnd(all, sequence));
        _held = all[^held..];
        return all[..^held];
    }

    /// <summary>What was held back, once no more text comes.</summary>
    public string Flush()
    {
        var rest = Stopped is null ? _held : "";
        _held = "";
        return rest;
    }

    private static int BeginningAtEnd(string text, string sequence)
    {
        for (var length = Math.Min(sequence.Length - 1, text.Length); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(sequence.AsSpan(0, length)))
            {
                return length;
            }
        }

        return 0;
    }
}
