using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>What a request says that may be the value of a parameter: its numbers, words, quotations, lists and dates.</summary>
internal sealed partial class RequestValues
{
    private const int MaxWords = 8;

    private static readonly string[] NumberWords =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
        "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];

    private readonly (int Start, int End)[] _words;

    /// <summary>Reads a request.</summary>
    /// <param name="text">What the user said.</param>
    public RequestValues(string text)
    {
        Text = text;
        Numbers = [.. Number().Matches(text).Select(Read)];
        Quotations = [.. Quoted().Matches(text).Select(m => m.Groups.Values.Skip(1).First(g => g.Success).Value).Where(q => q.Length > 0)];
        _words = [.. Word().Matches(text).Select(m => (m.Index, m.Index + m.Length))];
    }

    /// <summary>The request.</summary>
    public string Text { get; }

    /// <summary>Its numbers in order, as JSON writes them.</summary>
    public IReadOnlyList<string> Numbers { get; }

    /// <summary>What stands in quotation marks.</summary>
    public IReadOnlyList<string> Quotations { get; }

    /// <summary>How many words it has.</summary>
    public int Words => _words.Length;

    /// <summary>The texts that begin at a word: that word, and with those after it.</summary>
    /// <param name="word">The number of the word.</param>
    public IEnumerable<string> From(int word) => Enumerable.Range(word, Math.Min(MaxWords, _words.Length - word))
        .Select(last => Text[_words[word].Start.._words[last].End].Trim('"', '\'', '“', '”'))
        .Where(span => span.Length > 0)
        .Distinct(StringComparer.Ordinal);

    /// <summary>The days that it names, as ISO 8601 writes them.</summary>
    public IEnumerable<string> Dates => IsoDate().Matches(Text).Select(m => m.Value).Concat(NamedDate().Matches(Text)
        .Select(m => DateOnly.TryParse(m.Value.Replace("of ", "", StringComparison.OrdinalIgnoreCase), CultureInfo.InvariantCulture, out var day)
            ? day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : null)
        .OfType<string>());

    /// <summary>Whether it says a word, or several, as they stand.</summary>
    /// <param name="words">The words.</param>
    public bool Names(string words) =>
        words.Length > 0 && Regex.IsMatch(Text, $@"(?<!\w){Regex.Escape(words)}(?!\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>Numbers that follow each other, as JSON lists.</summary>
    public IEnumerable<string> NumberLists => Slices(Numbers).Select(run => $"[{string.Join(", ", run)}]");

    /// <summary>What commas and "and" set apart, as JSON lists; the ends by up to three words.</summary>
    public IEnumerable<string> TextLists
    {
        get
        {
            var parts = Separator().Split(Text).Select(p => p.Trim(' ', '.', '?', '!', ':', ';')).Where(p => p.Length > 0).ToArray();
            return Slices(parts).SelectMany(run =>
                from first in run.Count == 1 ? Middles(run[0]) : Ends(run[0])
                from last in run.Count == 1 ? [""] : Beginnings(run[^1])
                select Json(run.Count == 1 ? [first] : [first, .. run.Skip(1).SkipLast(1), last]))
                .Distinct(StringComparer.Ordinal);
        }
    }

    private static string Json(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(CallJson.Quote))}]";

    private static IEnumerable<string> Ends(string part)
    {
        var words = part.Split(' ');
        return Enumerable.Range(1, Math.Min(3, words.Length)).Select(n => string.Join(' ', words[^n..]));
    }

    private static IEnumerable<string> Beginnings(string part)
    {
        var words = part.Split(' ');
        return Enumerable.Range(1, Math.Min(3, words.Length)).Select(n => string.Join(' ', words[..n]));
    }

    private static IEnumerable<string> Middles(string part) =>
        Slices(part.Split(' ')).Where(words => words.Count <= 3).Select(words => string.Join(' ', words));

    private static IEnumerable<IReadOnlyList<string>> Slices(IReadOnlyList<string> items) =>
        from first in Enumerable.Range(0, items.Count)
        from count in Enumerable.Range(1, items.Count - first)
        select (IReadOnlyList<string>)[.. items.Skip(first).Take(count)];

    private static string Read(Match match)
    {
        var word = Array.IndexOf(NumberWords, match.Value.ToLowerInvariant());
        return word >= 0 ? word.ToString(CultureInfo.InvariantCulture) : Plain(match.Value.Replace(",", "", StringComparison.Ordinal));
    }

    private static string Plain(string number)
    {
        var negative = number.StartsWith('-');
        var digits = number.TrimStart('-').TrimStart('0');
        digits = digits.Length == 0 || digits[0] == '.' ? "0" + digits : digits;
        return negative && digits.Any(c => c is > '0' and <= '9') ? "-" + digits : digits;
    }

    // Not what is a part of an identifier, a date, a time or a version.
    [GeneratedRegex(@"(?<![\w.:/-])-?\d+(?:,\d{3})*(?:\.\d+)?(?!\.?\d|:\d|-\w|[A-Z]*\d|/)|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Number();

    [GeneratedRegex("\"([^\"]+)\"|“([^”]+)”|(?<!\\w)'([^']+)'(?!\\w)|`([^`]+)`")]
    private static partial Regex Quoted();

    // A word without the punctuation around it; what is inside (a full stop in a path, an apostrophe) belongs to it.
    [GeneratedRegex(@"[^\s\p{P}]\S*[^\s\p{P}]|[/~.$#@_-]+[^\s\p{P}]\S*[^\s\p{P}]|[^\s\p{P}]")]
    private static partial Regex Word();

    [GeneratedRegex(@",\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|;\s*")]
    private static partial Regex Separator();

    [GeneratedRegex(@"\b\d{4}-\d{2}-\d{2}\b")]
    private static partial Regex IsoDate();

    [GeneratedRegex(@"\b(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)\s+\d{1,2},?\s+\d{4}|\d{1,2}\s+(?:of\s+)?(?:January|February|March|April|May|June|July|August|September|October|November|December),?\s+\d{4})\b", RegexOptions.IgnoreCase)]
    private static partial Regex NamedDate();
}
