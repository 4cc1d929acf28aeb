namespace Orchestrator.Agents.Definitions;

/// <summary>Finds what was probably meant.</summary>
internal static class Spelling
{
    /// <summary>The nearest of the known words, where it is near enough to be meant.</summary>
    public static string? Nearest(string word, IEnumerable<string> known) => known
        .Select(k => (Word: k, Distance: Distance(word.ToUpperInvariant(), k.ToUpperInvariant())))
        .Where(k => k.Distance <= Math.Max(1, Math.Min(word.Length, k.Word.Length) / 3))
        .OrderBy(k => k.Distance)
        .ThenBy(k => k.Word, StringComparer.Ordinal)
        .Select(k => k.Word)
        .FirstOrDefault();

    /// <summary>"; did you mean 'x'?", or the known words where none is near.</summary>
    public static string Hint(string word, IReadOnlyCollection<string> known) =>
        Nearest(word, known) is { } near ? $"; did you mean '{near}'?"
        : known.Count == 0 ? "; there are none"
        : $"; known are {string.Join(", ", known.Order(StringComparer.Ordinal))}";

    /// <summary>Ends a sentence that may end with a hint, which has its own mark.</summary>
    public static string Sentence(string text) => text.EndsWith('?') || text.EndsWith('.') ? text : text + ".";

    /// <summary>Optimal string alignment distance: edits and swaps of neighbours (Damerau, 1964).</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
