using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>Finds the citations in a report and checks that what they name exists.</summary>
public static partial class Citations
{
    /// <summary>The citations in a text, in order, without repetition.</summary>
    /// <param name="text">A report.</param>
    public static IReadOnlyList<Citation> In(string text) =>
        [.. Pattern().Matches(text).Select(m => new Citation(m.Groups[1].Value, int.TryParse(m.Groups[2].Value, out var line) ? line : 0)).Distinct()];

    /// <summary>What is wrong with a report's citations; empty when nothing is.</summary>
    /// <param name="text">The report. A line that quotes a log, as <c>- `file:line` text</c>, must quote it as it is.</param>
    /// <param name="reader">The folder with the logs.</param>
    public static IReadOnlyList<string> Problems(string text, LogReader reader)
    {
        var files = reader.Files().ToHashSet(StringComparer.Ordinal);
        var problems = new List<string>();
        var cited = In(text);
        if (cited.Count == 0)
        {
            problems.Add("The report cites no line of any log file, as in `checkout.log:12`.");
        }

        var lines = new Dictionary<Citation, string>();
        foreach (var group in cited.GroupBy(c => c.File))
        {
            if (!files.Contains(group.Key))
            {
                problems.Add($"{group.First()} names a file that the folder does not have.");
                continue;
            }

            var wanted = group.Select(c => c.Line).ToHashSet();
            foreach (var (line, found) in reader.Lines(group.Key).Where(l => wanted.Contains(l.Line)))
            {
                lines[new(group.Key, line)] = found;
            }

            problems.AddRange(group.Where(c => !lines.ContainsKey(c)).Select(c => $"{c} names a line that {c.File} does not have."));
        }

        foreach (Match quote in Quote().Matches(text))
        {
            var at = new Citation(quote.Groups[1].Value, int.TryParse(quote.Groups[2].Value, out var line) ? line : 0);
            if (lines.TryGetValue(at, out var written) && !Same(quote.Groups[3].Value, written))
            {
                problems.Add($"{at} does not say what is quoted from it.");
            }
        }

        return problems;
    }

    /// <summary>A record's text as a report quotes it: one line, nothing that Markdown or a terminal would act on.</summary>
    /// <param name="text">The first line of the record.</param>
    public static string Quoted(string text)
    {
        var safe = string.Concat(text.Select(c => char.IsControl(c) || c is '`' ? ' ' : c)).Trim();
        return safe.Length > 240 ? safe[..240] : safe;
    }

    private static bool Same(string quoted, string written) =>
        Quoted(written).StartsWith(quoted.Trim().TrimEnd('…').Trim(), StringComparison.Ordinal);

    [GeneratedRegex(@"(?<![\w./:-])([\w.][\w./-]*\.(?:log|jsonl|json|txt|out|err)):(\d{1,9})\b")]
    private static partial Regex Pattern();

    [GeneratedRegex("^\\s*[-*] `([^`:]+):(\\d+)` `([^`\\n]+)`", RegexOptions.Multiline)]
    private static partial Regex Quote();
}
