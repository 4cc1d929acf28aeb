using System.Collections.Concurrent;
using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Gbnf;
using Orchestrator.Inference.Constraints.Grammars;
using Orchestrator.Inference.Constraints.Json;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints;

/// <summary>
/// Compiles constraints to pushdown automata over bytes and binds them to a vocabulary.
/// </summary>
/// <remarks>
/// The regular parts (strings, numbers, names) are lazily built deterministic automata; what nests is interpreted over a
/// stack of shared nodes, all readings at once. Masks come from walking a trie of the vocabulary, where within strings
/// the part that does not depend on what follows is cached. The ideas are those of XGrammar (Dong et al., 2024:
/// context-independent tokens) and LLGuidance (lexer and parser over a token trie).
/// </remarks>
public sealed class ConstraintCompiler : IConstraintCompiler
{
    private const int MaxCached = 256;
    private const int MaxRepeat = 10_000;

    private readonly TokenTrie _trie;
    private readonly SpecialTokens _specials;
    private readonly ConcurrentDictionary<string, (ITokenConstraint Constraint, long Used)> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<JsonConstraintOptions, JsonTerminals> _terminals = new();
    private readonly ConcurrentDictionary<string, Terminal> _patterns = new(StringComparer.Ordinal);
    private long _clock;

    /// <summary>Creates a compiler; sorts the vocabulary into a trie.</summary>
    /// <param name="vocabulary">The model's vocabulary.</param>
    public ConstraintCompiler(ITokenVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Vocabulary = vocabulary;
        _trie = new TokenTrie(vocabulary);
        _specials = new SpecialTokens(vocabulary);
    }

    /// <inheritdoc/>
    public ITokenVocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public ITokenConstraint Compile(ConstraintDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var key = definition.Key;
        var now = Interlocked.Increment(ref _clock);
        if (_cache.TryGetValue(key, out var known))
        {
            _cache[key] = (known.Constraint, now);
            return known.Constraint;
        }

        var constraint = new GrammarConstraint(Vocabulary, _trie, Build(definition));
        if (_cache.Count >= MaxCached)
        {
            // The older half goes. What constraints share goes with it, or it would grow for ever; those that stay keep theirs.
            _terminals.Clear();
            _patterns.Clear();
            foreach (var (oldKey, _) in _cache.OrderBy(pair => pair.Value.Used).Take(MaxCached / 2).ToArray())
            {
                _cache.TryRemove(oldKey, out _);
            }
        }

        _cache[key] = (constraint, now);
        return constraint;
    }

    /// <summary>Cuts a text into tokens by taking the longest that fits, again and again; bytes that no token has are left out.</summary>
    internal IReadOnlyList<int> Tokenize(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var tokens = new List<int>();
        var position = 0;
        while (position < bytes.Length)
        {
            var (token, length) = _trie.Longest(bytes.AsSpan(position));
            if (token >= 0)
            {
                tokens.Add(token);
            }

            position += Math.Max(1, length);
        }

        return tokens;
    }

    private Production Build(ConstraintDefinition definition)
        => Symbol(definition) is { Production: { } production } ? production : Sequence(Symbol(definition));

    private Symbol Symbol(ConstraintDefinition definition)
    {
        switch (definition)
        {
            case ConstraintDefinition.Literal { Value: var value }:
                return new Terminal(new LiteralDfa(false, value).Start);
            case ConstraintDefinition.Markup { Value: var markup }:
                return new Terminal(new LiteralDfa(_specials.Spell(markup)).Start);
            case ConstraintDefinition.JsonSchema { Schema: var schema, Options: var options }:
                return Schema(schema, options ?? JsonConstraintOptions.Generation);
            case ConstraintDefinition.Regex { Pattern: var pattern }:
                return _patterns.GetOrAdd(pattern, Pattern);
            case ConstraintDefinition.Gbnf { Grammar: var grammar, Root: var root }:
                return GbnfGrammar.Compile(grammar, root);
            case ConstraintDefinition.Sequence { Parts: var parts }:
                return Sequence([.. parts.Select(Symbol)]);
            case ConstraintDefinition.Choice { Options: var options }:
                return options.Count == 0 ? throw new ConstraintException("A choice has no options") : Choice([.. options.Select(option => new[] { Symbol(option) })]);
            case ConstraintDefinition.Repeat { Part: var part, Min: var min, Max: var max }:
                return Repeat(Symbol(part), min, max);
            default:
                throw new ConstraintException($"Unknown kind of constraint: {definition.GetType().Name}");
        }
    }

    private static Terminal Pattern(string pattern) => RegexCompiler.CompileWhole(pattern) is { IsEmpty: false } texts
        ? new Terminal(new CharacterDfa(texts, TextEncoding.Raw, false).Start)
        : throw new ConstraintException($"The regular expression '{pattern}' matches nothing", "pattern");

    private static ChoiceProduction Sequence(params Symbol[] symbols) => Choice(symbols);

    private static ChoiceProduction Choice(params Symbol[][] alternatives)
        => new() { Alternatives = alternatives, ShortestAlternative = alternatives.Min(symbols => symbols.Sum(symbol => symbol.Shortest)) };

    private static ChoiceProduction Repeat(Symbol part, int min, int? max)
    {
        if (min < 0 || max < min || min > MaxRepeat || max > MaxRepeat)
        {
            throw new ConstraintException($"A repetition must be between 0 and {MaxRepeat} times, at most as often as at least", null, $"{min} to {max}");
        }

        ChoiceProduction more;
        if (max is { } most)
        {
            more = Sequence();
            for (var i = min; i < most; i++)
            {
                more = Choice([], [part, more]);
            }
        }
        else
        {
            more = Sequence();
            more.Alternatives = [[], [part, more]];
        }

        return Sequence([.. Enumerable.Repeat(part, min), more]);
    }

    private Production Schema(string schema, JsonConstraintOptions options)
    {
        JsonElement element;
        try
        {
            element = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 512 }).RootElement;
        }
        catch (JsonException error)
        {
            throw new ConstraintException($"The schema is no JSON: {error.Message}");
        }

        var terminals = _terminals.GetOrAdd(options, wanted => new JsonTerminals(
            wanted, wanted.Quote is { } quote && _specials.Find(quote) is { } token ? TokenSpelling.Spell(token) : null));
        Production value;
        try
        {
            value = JsonGrammar.Compile(element, terminals);
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // A keyword holds another kind of JSON than it may.
            throw new ConstraintException($"The schema is malformed: {error.Message}", null, "#", "Check it against the meta-schema of its draft.");
        }

        return terminals.Punctuation.Trailing is { } trailing ? Sequence(value, trailing) : value;
    }
}
