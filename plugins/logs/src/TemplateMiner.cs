using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>
/// Finds the fixed text behind messages that differ only in their values, one message after another, in the manner of Drain
/// (He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017): values that look
/// like values are masked, messages are grouped by length and first word, and join the most similar template of their group.
/// </summary>
internal sealed partial class TemplateMiner
{
    private const double Similar = 0.6;
    private const int MaximumWords = 40;
    private const int MaximumTemplates = 20_000;

    private readonly Dictionary<(int Words, string First), List<int>> _groups = [];
    private readonly List<string[]> _templates = [];

    public int Count => _templates.Count;

    public string Text(int template) => string.Join(' ', _templates[template]);

    /// <summary>The template of a message; a new one when none is similar.</summary>
    public int Add(string message)
    {
        var words = Mask(message).Split(' ', MaximumWords + 1, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length > MaximumWords)
        {
            words[^1] = "<*>";
        }

        var first = words.Length == 0 ? "" : words[0];
        if (!_groups.TryGetValue((words.Length, first), out var group))
        {
            _groups[(words.Length, first)] = group = [];
        }

        var best = -1;
        var bestScore = -1.0;
        foreach (var id in group)
        {
            var score = Score(_templates[id], words);
            if (score > bestScore)
            {
                (best, bestScore) = (id, score);
            }
        }

        if (best >= 0 && (bestScore >= Similar || _templates.Count >= MaximumTemplates))
        {
            var template = _templates[best];
            for (var i = 0; i < words.Length; i++)
            {
                if (template[i] != words[i])
                {
                    template[i] = "<*>";
                }
            }

            return best;
        }

        _templates.Add(words);
        group.Add(_templates.Count - 1);
        return _templates.Count - 1;
    }

    private static double Score(string[] template, string[] words)
    {
        if (words.Length == 0)
        {
            return 1;
        }

        var same = 0;
        for (var i = 0; i < words.Length; i++)
        {
            if (template[i] == words[i])
            {
                same++;
            }
        }

        return (double)same / words.Length;
    }

    private static string Mask(string message)
    {
        var text = Hex().Replace(message, "<x>");
        text = Number().Replace(text, "<n>");
        return PathWithNumber().Replace(text, m => m.Value[..m.Value.IndexOf("<", StringComparison.Ordinal)] + "<*>");
    }

    [GeneratedRegex(@"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b", RegexOptions.IgnoreCase)]
    private static partial Regex Hex();

    [GeneratedRegex(@"\d+(?:[.,:]\d+)*")]
    private static partial Regex Number();

    [GeneratedRegex(@"/\S*<[nx]>\S*")]
    private static partial Regex PathWithNumber();
}
