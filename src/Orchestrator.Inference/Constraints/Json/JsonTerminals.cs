using System.Collections.Concurrent;
using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;
using Orchestrator.Inference.Constraints.Numbers;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>
/// The terminals of JSON values for one way of writing them. Those that many schemas have in common (all strings, numbers,
/// formats) are shared, and with them the masks that they have cached.
/// </summary>
internal sealed class JsonTerminals
{
    private const int MaxShared = 1_000;
    private const int MaxDigits = 1_000;

    private static readonly Lazy<CharDfa> BetweenTags = new(() => RegexCompiler.CompileSearch(ObjectPunctuation.ParameterClose).Complement());

    private readonly NumberStyle _numbers;
    private readonly ConcurrentDictionary<NumberRange, Terminal> _ranges = new();
    private readonly ConcurrentDictionary<CharDfa, CharacterDfa> _texts = new();
    private readonly ConcurrentDictionary<CharDfa, CharacterDfa> _taggedTexts = new();
    private readonly ConcurrentDictionary<string, Terminal> _literals = new(StringComparer.Ordinal);

    public JsonTerminals(JsonConstraintOptions options, byte[]? quote)
    {
        Options = options;
        Punctuation = new JsonPunctuation(options, quote);
        _numbers = new NumberStyle(options.AnySpelling, options.AnySpelling ? MaxDigits : options.MaxDigits ?? MaxDigits, Punctuation.LeadingWhitespace);
    }

    public JsonConstraintOptions Options { get; }

    public JsonPunctuation Punctuation { get; }

    /// <summary>What stands behind a value between tags that is JSON.</summary>
    public Production ParameterEnd { get; } = new ChoiceProduction
    {
        Alternatives = [[ObjectPunctuation.Literal(false, ObjectPunctuation.ParameterEnd)]],
        ShortestAlternative = ObjectPunctuation.ParameterEnd.Length,
    };

    public Terminal Literals(IReadOnlyList<string> literals)
        => Shared(_literals, string.Join('|', literals), _ => new Terminal(new LiteralDfa(Punctuation.LeadingWhitespace, [.. literals]).Start));

    public Terminal Number(NumberRange range) => Shared(_ranges, range, CreateNumber);

    /// <summary>One number: in any spelling, or as the schema spells it.</summary>
    public Terminal Constant(JsonElement number)
    {
        if (!Options.AnySpelling)
        {
            return Literals([number.GetRawText()]);
        }

        var value = ExactDecimal.Parse(number.GetRawText()) ?? throw new ConstraintException("A number is too large", "const", null);
        return Number(new NumberRange(value, false, value, false));
    }

    public Terminal Words(IReadOnlyList<string> words)
        => new(Punctuation.Text(new KeyAutomaton(new WordTrie([.. words.Distinct(StringComparer.Ordinal)]), _ => true, null)).Start);

    /// <summary>Words between tags, with their end; null where none can stand there.</summary>
    public static Terminal? TaggedWords(IReadOnlyList<string> words)
    {
        string[] ended = [.. words.Where(BetweenTags.Value.Accepts).Distinct(StringComparer.Ordinal).Select(word => word + ObjectPunctuation.ParameterEnd)];
        return ended.Length == 0 ? null : new Terminal(new CharacterDfa(new KeyAutomaton(new WordTrie(ended), _ => true, null), TextEncoding.Closed, false).Start);
    }

    /// <summary>The strings of a length and a pattern between tags, with their end; null where there are none.</summary>
    public Terminal? TaggedText(int min, int max, CharDfa? pattern)
        => Text(min, max, pattern is null ? BetweenTags.Value : pattern.Intersect(BetweenTags.Value), ObjectPunctuation.ParameterEnd);

    /// <summary>The strings of a length and a pattern; null where there are none.</summary>
    public Terminal? Text(int min, int max, CharDfa? pattern) => Text(min, max, pattern, null);

    private Terminal? Text(int min, int max, CharDfa? pattern, string? end)
    {
        if (pattern is null)
        {
            var bounded = Options.MaxStringLength is { } limit ? Math.Min(max, Math.Max(limit, min)) : max;
            return new Terminal(Punctuation.AnyText.Start, min, bounded);
        }

        // A pattern whose texts all have a fitting length needs no counting; one that has a lower bound needs it in its states.
        var longest = pattern.MaxCharacters();
        max = longest <= max ? int.MaxValue : max;
        if (min > 0 && pattern.MinCharacters(0) < min)
        {
            if (max == int.MaxValue || min * (long)pattern.StateCount < CharDfa.MaxStates)
            {
                // A pattern that is found anywhere, as ".", often implies the bound already.
                pattern = pattern.WithLength(min, CharAutomaton.Never);
            }
            else
            {
                throw new ConstraintException($"The automaton of a pattern with 'minLength' {min} needs more than {CharDfa.MaxStates} states", "minLength");
            }
        }

        if (pattern.IsEmpty || pattern.MinCharacters(0) > max)
        {
            return null;
        }

        if (Options.MaxStringLength is { } most && pattern.MaxCharacters() == CharAutomaton.Never)
        {
            max = Math.Min(max, Math.Max(most, pattern.MinCharacters(0)));
        }

        // The letters of an end count too.
        return end is null
            ? new Terminal(Shared(_texts, pattern, Punctuation.Text).Start, 0, max)
            : new Terminal(
                Shared(_taggedTexts, pattern, texts => new CharacterDfa(texts.ClosedBy(end), TextEncoding.Closed, false)).Start,
                0,
                max == int.MaxValue ? max : max + end.Length);
    }

    private static TValue Shared<TKey, TValue>(ConcurrentDictionary<TKey, TValue> known, TKey key, Func<TKey, TValue> create)
        where TKey : notnull
        => known.TryGetValue(key, out var value) ? value : known.Count < MaxShared ? known.GetOrAdd(key, create) : create(key);

    private Terminal CreateNumber(NumberRange range)
        => new(range.MultipleOf is null ? new NumberDfa(range, _numbers).Start : new MultipleDfa(range, _numbers).Start);
}
