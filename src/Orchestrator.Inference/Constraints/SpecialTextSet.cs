using System.Buffers;

namespace Orchestrator.Inference.Constraints;

/// <summary>The texts of a model's special tokens, searched for all at once.</summary>
internal sealed class SpecialTextSet
{
    private readonly string[] _longestFirst;
    private readonly SearchValues<string> _any;

    public SpecialTextSet(IEnumerable<string> texts)
    {
        // A token that is only white space, or one letter, is ordinary text wherever it comes from.
        _longestFirst = [.. texts.Where(t => t.Trim().Length > 1).Distinct().OrderByDescending(t => t.Length)];
        _any = SearchValues.Create(_longestFirst, StringComparison.Ordinal);
    }

    /// <summary>The first place where a special text begins, or −1.</summary>
    public int IndexIn(ReadOnlySpan<char> text) => _longestFirst.Length == 0 ? -1 : text.IndexOfAny(_any);

    /// <summary>The longest special text that a text begins with, or null.</summary>
    public string? PrefixOf(ReadOnlySpan<char> text)
    {
        foreach (var special in _longestFirst)
        {
            if (text.StartsWith(special, StringComparison.Ordinal))
            {
                return special;
            }
        }

        return null;
    }

    /// <summary>Whether a text ends with two letters or more that a special text begins with.</summary>
    public bool MayBeginAtEndOf(ReadOnlySpan<char> text) => BeginningAtEndOf(text) > 1;

    /// <summary>The most letters at the end of a text that a special text begins with, and is longer than.</summary>
    public int BeginningAtEndOf(ReadOnlySpan<char> text)
    {
        var most = 0;
        foreach (var special in _longestFirst)
        {
            for (var length = Math.Min(special.Length - 1, text.Length); length > most; length--)
            {
                if (text.EndsWith(special.AsSpan(0, length), StringComparison.Ordinal))
                {
                    most = length;
                }
            }
        }

        return most;
    }
}
