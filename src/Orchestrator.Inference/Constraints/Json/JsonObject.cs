using System.Collections.Concurrent;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>A declared property of an object in the grammar.</summary>
internal sealed record JsonProperty(string Name, JsonValue Value, bool IsRequired);

/// <summary>
/// An object: the declared properties in order, then others. Positions: A is what comes next (0 the first property or the end,
/// 1 a comma or the end, 2 a name, 3 within a name, 4 + 2v the colon of value v, 5 + 2v value v), B the number of declared
/// properties that are passed, plus the number of others so far, C the number of properties so far (counted as far as it matters).
/// </summary>
internal sealed class JsonObject : JsonContainer
{
    private readonly ObjectPunctuation _punctuation;
    private readonly JsonProperty[] _properties;
    private readonly WordTrie _names;
    private readonly Func<CharacterDfa?> _readOthers;
    private readonly IReadOnlyList<JsonValue> _others;
    private readonly int _min;
    private readonly int _max;
    private readonly int _maxOthers;
    private readonly int _cap;
    private readonly ConcurrentDictionary<(int Passed, int Count), Terminal?> _keys = new();
    private readonly Lazy<CharacterDfa?> _otherNames;

    /// <param name="punctuation">How it is written.</param>
    /// <param name="properties">The declared properties in order.</param>
    /// <param name="forbidden">Names that no property may have.</param>
    /// <param name="readOthers">Gives the names of other properties, each tagged with an index into <paramref name="others"/>; called once all values are known.</param>
    /// <param name="others">The values of other properties.</param>
    /// <param name="min">The fewest properties.</param>
    /// <param name="max">The most properties.</param>
    /// <param name="maxOthers">The most other properties.</param>
    public JsonObject(
        ObjectPunctuation punctuation,
        IReadOnlyList<JsonProperty> properties,
        IReadOnlyList<string> forbidden,
        Func<CharacterDfa?> readOthers,
        IReadOnlyList<JsonValue> others,
        int min,
        int max,
        int maxOthers)
    {
        _punctuation = punctuation;
        _properties = [.. properties];
        _names = new WordTrie([.. properties.Select(property => property.Name).Concat(forbidden).Select(punctuation.Spell)]);
        _readOthers = readOthers;
        _others = others;
        _min = min;
        _max = max;
        _maxOthers = maxOthers;
        _cap = Math.Max(min, max == int.MaxValue ? 1 : max);
        _otherNames = new Lazy<CharacterDfa?>(() => maxOthers == 0 ? null : _readOthers());
    }

    public override int Shortest => ShortestText();

    private int ShortestText()
    {
        var sum = (long)_punctuation.Open.Shortest + _punctuation.Close.Shortest;
        var count = 0;
        foreach (var property in _properties.Where(property => property.IsRequired))
        {
            sum += Length(property) + (count > 0 || _punctuation.CommaFirst ? _punctuation.Comma.Shortest : 0);
            count++;
        }

        if (count < _min)
        {
            var optional = _properties.Where(property => !property.IsRequired).Select(Length)
                .Concat(_others.Count == 0 ? [] : Enumerable.Repeat(_others.Min(Length), Math.Min(_min, _maxOthers))).Order().Take(_min - count).ToArray();
            sum += optional.Length < _min - count ? JsonValue.Impossible : optional.Sum(length => (long)length + _punctuation.Comma.Shortest);
        }

        return (int)Math.Min(sum, JsonValue.Impossible);
    }

    public override void Expand(Node node, Closure closure)
    {
        switch (node.A)
        {
            case 0 or 1:
                if (NextRequired(node.B) >= _properties.Length && node.C >= _min)
                {
                    closure.Scan(_punctuation.Close, node.Parent!);
                }

                if (Key(node.B, node.C) is { } key)
                {
                    if (node.A == 0 && !_punctuation.CommaFirst)
                    {
                        closure.Scan(key, node.Move(3, node.B, node.C));
                    }
                    else
                    {
                        closure.Scan(_punctuation.Comma, node.Move(2, node.B, node.C));
                    }
                }

                break;
            case 2:
                closure.Scan(Key(node.B, node.C)!, node.Move(3, node.B, node.C));
                break;
            case var colon when colon % 2 == 0:
                closure.Scan(_punctuation.Colon, node.Move(node.A + 1, node.B, node.C));
                break;
            default:
                Value((node.A - 5) / 2).Begin(closure, node.Move(1, node.B, node.C));
                break;
        }
    }

    public override Node Resume(Node node, int tag)
    {
        if (node.A != 3)
        {
            return node;
        }

        var count = Math.Min(node.C + 1, _cap);
        return tag >= KeyAutomaton.WordTag
            ? node.Move(4 + (2 * (tag - KeyAutomaton.WordTag)), tag - KeyAutomaton.WordTag + 1, count)
            : node.Move(4 + (2 * (_properties.Length + tag)), Math.Min(Math.Max(node.B, _properties.Length) + 1, _maxOthers == int.MaxValue ? _properties.Length + 1 : int.MaxValue), count);
    }

    public override int MinBytes(Node node)
    {
        var sum = (long)_punctuation.Close.Shortest;
        var count = node.C;
        var isFirst = node.A == 2 || (node.A == 0 && !_punctuation.CommaFirst);
        if (node.A >= 4)
        {
            sum += Value((node.A - 4) / 2).Shortest + (node.A % 2 == 0 ? _punctuation.Colon.Shortest : 0);
        }

        for (var i = node.B; i < _properties.Length; i++)
        {
            if (_properties[i].IsRequired)
            {
                sum += Length(_properties[i]) + (isFirst ? 0 : _punctuation.Comma.Shortest);
                isFirst = false;
                count++;
            }
        }

        var missing = Math.Max(_min - count, node.A == 2 && isFirst ? 1 : 0);
        if (missing > 0)
        {
            var lengths = _properties.Skip(node.B).Where(property => !property.IsRequired).Select(Length)
                .Concat(_others.Count == 0 ? [] : Enumerable.Repeat(_others.Min(Length), missing)).Order().Take(missing);
            sum += lengths.Sum(length => (long)length + _punctuation.Comma.Shortest) - (isFirst ? _punctuation.Comma.Shortest : 0);
        }

        return (int)Math.Min(sum, JsonValue.Impossible);
    }

    private int EncodedLength(string name) => _punctuation.NameQuotes + _punctuation.Spell(name).EnumerateRunes().Sum(rune => CharAutomaton.EncodedLength(rune.Value));

    private int Length(JsonProperty property) => (int)Math.Min(JsonValue.Impossible, EncodedLength(property.Name) + _punctuation.Colon.Shortest + (long)property.Value.Shortest);

    private int Length(JsonValue other) => (int)Math.Min(JsonValue.Impossible, EncodedLength("n") + _punctuation.Colon.Shortest + (long)other.Shortest);

    private JsonValue Value(int index) => index < _properties.Length ? _properties[index].Value : _others[index - _properties.Length];

    private int NextRequired(int from)
    {
        var index = from;
        while (index < _properties.Length && !_properties[index].IsRequired)
        {
            index++;
        }

        return index;
    }

    /// <summary>The names that can come when so many declared properties are passed, or null when none can.</summary>
    private Terminal? Key(int passed, int count) => _keys.GetOrAdd((passed, count), _ => CreateKey(passed, count));

    private Terminal? CreateKey(int passed, int count)
    {
        var next = NextRequired(passed);
        var hasOthers = _otherNames.Value is not null;
        var left = _max == int.MaxValue ? int.MaxValue : _max - count;
        var requiredBehind = new int[_properties.Length + 1];
        for (var i = _properties.Length - 1; i >= 0; i--)
        {
            requiredBehind[i] = requiredBehind[i + 1] + (_properties[i].IsRequired ? 1 : 0);
        }

        bool IsAllowed(int index)
            => index < _properties.Length && index >= passed && index <= next && _properties[index].Value.IsPossible
                && left > requiredBehind[index + 1] && (hasOthers || count + _properties.Length - index >= _min);

        var others = hasOthers && next >= _properties.Length && left > 0 && passed - _properties.Length < _maxOthers ? _otherNames.Value : null;
        var automaton = new KeyAutomaton(_names, IsAllowed, others);
        return automaton.IsEmpty ? null : _punctuation.Key(automaton);
    }
}
