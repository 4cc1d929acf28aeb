using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;
using Orchestrator.Inference.Constraints.Numbers;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>Turns normalized schemas into a grammar: one value for each formula, so recursion becomes recursion.</summary>
internal sealed class JsonGrammar
{
    private const int MaxValues = 50_000;
    private const int MaxDistinct = 24;

    private readonly JsonTerminals _terminals;
    private readonly JsonConstraintOptions _options;
    private readonly SchemaNormalizer _normalizer = new();
    private readonly Dictionary<string, JsonValue> _values = new(StringComparer.Ordinal);
    private readonly Queue<(JsonValue Value, Formula Formula, Place Place)> _pending = new();
    private readonly List<SchemaDocument> _documents = [];

    private JsonGrammar(JsonTerminals terminals)
    {
        _terminals = terminals;
        _options = terminals.Options;
    }

    /// <summary>Where a value stands, which decides how it is written.</summary>
    private enum Place
    {
        /// <summary>Within JSON.</summary>
        Json,

        /// <summary>An object whose properties stand between tags.</summary>
        Arguments,

        /// <summary>Between tags.</summary>
        Parameter,
    }

    private JsonPunctuation Punctuation => _terminals.Punctuation;

    /// <summary>Compiles a schema.</summary>
    public static Production Compile(JsonElement schema, JsonTerminals terminals)
    {
        var grammar = new JsonGrammar(terminals);
        var document = new SchemaDocument(schema);
        var root = grammar.Value(Formula.Of(document.Root), terminals.Options.ParameterTags ? Place.Arguments : Place.Json);
        while (grammar._pending.TryDequeue(out var next))
        {
            grammar.Fill(next.Value, next.Formula, next.Place);
        }

        while (grammar._values.Values.Aggregate(false, (changed, value) => value.Relax() | changed))
        {
        }

        foreach (var value in grammar._values.Values)
        {
            value.Prune();
        }

        if (!root.IsPossible)
        {
            throw new ConstraintException("The schema has no valid value", null, "#", "Look for conditions that contradict each other.");
        }

        return root;
    }

    private JsonValue Value(Formula formula, Place place = Place.Json)
    {
        var key = place == Place.Json ? formula.Key : $"{place} {formula.Key}";
        if (!_values.TryGetValue(key, out var value))
        {
            if (_values.Count >= MaxValues)
            {
                throw new ConstraintException($"The schema expands to more than {MaxValues} values", "$ref", "#", "Use a smaller schema.");
            }

            value = new JsonValue(place == Place.Parameter ? _terminals.ParameterEnd : null);
            _values.Add(key, value);
            _pending.Enqueue((value, formula, place));
        }

        return value;
    }

    private void Fill(JsonValue value, Formula formula, Place place)
    {
        foreach (var shape in _normalizer.Normalize(formula))
        {
            if (shape.Values is not null)
            {
                AddValues(value, shape.Values, place);
                continue;
            }

            if (place != Place.Arguments)
            {
                AddScalars(value, shape, place);
            }

            if (shape.Types.HasFlag(JsonTypes.Array) && place != Place.Arguments)
            {
                AddArray(value, shape);
            }

            if (shape.Types.HasFlag(JsonTypes.Object))
            {
                AddObject(value, shape, place);
            }
        }
    }

    private void AddScalars(JsonValue value, Shape shape, Place place)
    {
        string[] literals =
        [
            .. shape.Types.HasFlag(JsonTypes.Null) ? ["null"] : Array.Empty<string>(),
            .. shape.Types.HasFlag(JsonTypes.True) ? ["true"] : Array.Empty<string>(),
            .. shape.Types.HasFlag(JsonTypes.False) ? ["false"] : Array.Empty<string>(),
        ];
        if (literals.Length > 0)
        {
            value.Add(_terminals.Literals(literals));
        }

        if (shape.Types.HasFlag(JsonTypes.Number))
        {
            value.Add(_terminals.Number(shape.Number));
        }

        if (shape.Types.HasFlag(JsonTypes.String))
        {
            var text = place == Place.Parameter
                ? _terminals.TaggedText(shape.MinLength, shape.MaxLength, shape.Text)
                : _terminals.Text(shape.MinLength, shape.MaxLength, shape.Text);
            if (text is not null)
            {
                value.Add(text, isEnded: true);
            }
        }
    }

    private void AddValues(JsonValue value, IReadOnlyList<JsonElement> values, Place place)
    {
        var words = values.Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!).ToArray();
        if (words.Length > 0 && place != Place.Arguments
            && (place == Place.Parameter ? JsonTerminals.TaggedWords(words) : _terminals.Words(words)) is { } known)
        {
            value.Add(known, isEnded: true);
        }

        foreach (var element in values.Where(v => place != Place.Arguments || v.ValueKind == JsonValueKind.Object))
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    break;
                case JsonValueKind.Number:
                    value.Add(_terminals.Constant(element));
                    break;
                case JsonValueKind.Array or JsonValueKind.Object:
                    Fill(value, Formula.Of(Constant(element)), place);
                    break;
                default:
                    value.Add(_terminals.Literals([element.GetRawText()]));
                    break;
            }
        }
    }

    /// <summary>A schema of exactly one array or object, member by member.</summary>
    private SchemaRef Constant(JsonElement element)
    {
        object schema = element.ValueKind == JsonValueKind.Array
            ? new Dictionary<string, object>
            {
                ["type"] = "array",
                ["prefixItems"] = element.EnumerateArray().Select(item => new Dictionary<string, object> { ["const"] = item }).ToArray(),
                ["items"] = false,
                ["minItems"] = element.GetArrayLength(),
            }
            : new Dictionary<string, object>
            {
                ["type"] = "object",
                ["properties"] = element.EnumerateObject().DistinctBy(property => property.Name).ToDictionary(property => property.Name, property => new Dictionary<string, object> { ["const"] = property.Value }),
                ["required"] = element.EnumerateObject().Select(property => property.Name).Distinct().ToArray(),
                ["additionalProperties"] = false,
            };
        var document = new SchemaDocument(JsonSerializer.SerializeToElement(schema));
        _documents.Add(document);
        return document.Root;
    }

    private void AddArray(JsonValue value, Shape shape)
    {
        var prefixCount = shape.Arrays.Count == 0 ? 0 : shape.Arrays.Max(rule => rule.Prefix.Count);
        prefixCount = Math.Min(prefixCount, shape.MaxItems);
        var rest = shape.Item(prefixCount);
        var max = _options.MaxItems is { } bound ? Math.Min(shape.MaxItems, Math.Max(bound, Math.Max(shape.MinItems, prefixCount))) : shape.MaxItems;
        if (shape.Contains.Count > 1 || (shape.Contains.Count == 1 && (prefixCount > 0 || shape.Unique is not null)))
        {
            throw new ConstraintException("The keyword 'contains' can't be enforced together with others of its kind, with tuples or with 'uniqueItems'", "contains", rest.Terms.FirstOrDefault().Schema?.Pointer ?? "#");
        }

        IReadOnlyList<JsonValue>? distinct = null;
        if (shape.Unique is not null && max > 1)
        {
            var shapes = _normalizer.Normalize(rest);
            var all = shapes is [{ Values: { } listed }] && prefixCount == 0 && listed.Count <= MaxDistinct && listed.All(item => item.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)) ? listed : null;
            if (all is null)
            {
                throw shape.Unique.Unsupported("uniqueItems", $"the items are not one of at most {MaxDistinct} listed values");
            }

            distinct = [.. all.Select(item =>
            {
                var single = new JsonValue();
                AddValues(single, [item], Place.Json);
                single.Relax();
                return single;
            })];
        }

        value.Add(Punctuation.OpenArray, new JsonArray(Punctuation, [.. Enumerable.Range(0, prefixCount).Select(i => Value(shape.Item(i)))], Value(rest), shape.MinItems, max)
        {
            Contained = shape.Contains.Count == 0 ? null : Value(rest.And(shape.Contains[0])),
            Distinct = distinct,
        });
    }

    private void AddObject(JsonValue value, Shape shape, Place place)
    {
        var (punctuation, below) = place == Place.Arguments ? (ObjectPunctuation.ParameterTags, Place.Parameter) : (Punctuation.Objects, Place.Json);
        var names = shape.Objects.SelectMany(rule => rule.Properties.Select(property => property.Key)).Distinct(StringComparer.Ordinal).ToList();
        var declared = names.Count > 0;
        names.AddRange(shape.Required.Except(names, StringComparer.Ordinal));
        CharDfa[] nameTexts = [.. shape.PropertyNames.Select(Names), .. punctuation.NameTexts is { } writable ? [writable] : Array.Empty<CharDfa>()];
        var required = shape.Required.ToHashSet(StringComparer.Ordinal);
        var properties = new List<JsonProperty>();
        var forbidden = new List<string>();
        foreach (var name in names)
        {
            var formula = shape.Property(name);
            if (nameTexts.All(text => text.Accepts(name)) && _normalizer.Normalize(formula).Count > 0)
            {
                properties.Add(new JsonProperty(name, Value(formula, below), required.Contains(name)));
            }
            else if (required.Contains(name))
            {
                return;
            }
            else
            {
                forbidden.Add(name);
            }
        }

        var others = Others(shape, nameTexts, declared, punctuation, below);
        var bound = _options.MaxAdditionalProperties is { } limit ? Math.Max(limit, shape.MinProperties) : int.MaxValue;
        if (shape.MinProperties > Math.Max(1, required.Count) && others.Values.Count > 0)
        {
            throw (shape.Counted ?? throw new InvalidOperationException("A count without its schema.")).Unsupported("minProperties", "other properties are allowed, whose names may repeat");
        }

        value.Add(punctuation.Open, new JsonObject(
            punctuation, properties, forbidden, others.Read, others.Values, shape.MinProperties, shape.MaxProperties, others.Values.Count == 0 ? 0 : bound));
    }

    /// <summary>The names that satisfy a schema of names.</summary>
    private CharDfa Names(Formula formula)
    {
        CharDfa? all = null;
        foreach (var shape in _normalizer.Normalize(formula))
        {
            CharDfa? text;
            if (shape.Values is not null)
            {
                text = CharDfa.OfWords([.. shape.Values.Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)]);
            }
            else if (!shape.Types.HasFlag(JsonTypes.String))
            {
                continue;
            }
            else
            {
                text = (shape.Text ?? CharDfa.Everything).WithLength(shape.MinLength, shape.MaxLength);
            }

            all = all is null ? text : CharDfa.Combine([all, text], tags => Math.Max(tags[0], tags[1]));
        }

        return all ?? CharDfa.OfWords([]);
    }

    private (Func<CharacterDfa?> Read, IReadOnlyList<JsonValue> Values) Others(
        Shape shape, CharDfa[] names, bool declared, ObjectPunctuation punctuation, Place below)
    {
        var additional = shape.Objects.Aggregate(Formula.True, (formula, rule) => formula.And(rule.Additional));
        var isMentioned = shape.Objects.Any(rule => !rule.IsOpen);
        var patterns = shape.Objects.SelectMany(rule => rule.Patterns.Select(pattern => pattern.Pattern)).Distinct().ToArray();
        var leavesOut = !_options.UndeclaredProperties && declared && !isMentioned && patterns.Length == 0;
        if (leavesOut && punctuation.NameTexts is not null)
        {
            return (() => null, []);
        }

        if (patterns.Length == 0 && names.Length == 0)
        {
            return leavesOut || _normalizer.Normalize(additional).Count == 0
                ? (() => null, [])
                : Only(Value(additional));
        }

        // Which patterns a name matches decides which formulas its value must satisfy.
        var formulas = new List<Formula>();
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        var automaton = CharDfa.Combine([.. patterns, .. names, CharDfa.Everything], tags =>
        {
            if (tags.Skip(patterns.Length).Any(tag => tag < 0))
            {
                return -1;
            }

            var formula = Formula.True;
            foreach (var rule in shape.Objects)
            {
                var known = false;
                foreach (var (pattern, matched) in rule.Patterns)
                {
                    if (tags[Array.IndexOf(patterns, pattern)] >= 0)
                    {
                        known = true;
                        formula = formula.And(matched);
                    }
                }

                formula = known ? formula : formula.And(rule.Additional);
            }

            if ((!_options.UndeclaredProperties && !isMentioned && patterns.Length > 0 && tags.Take(patterns.Length).All(tag => tag < 0)) || _normalizer.Normalize(formula).Count == 0)
            {
                return -1;
            }

            if (!indices.TryGetValue(formula.Key, out var index))
            {
                index = formulas.Count;
                indices.Add(formula.Key, index);
                formulas.Add(formula);
            }

            return index;
        });
        if (automaton.IsEmpty)
        {
            return (() => null, []);
        }

        JsonValue[] values = [.. formulas.Select(formula => Value(formula, below))];
        return (() =>
        {
            var possible = CharDfa.Combine([automaton], tags => tags[0] >= 0 && values[tags[0]].IsPossible ? tags[0] : -1);
            return possible.IsEmpty ? null : punctuation.Names(possible);
        }, values);
    }

    private (Func<CharacterDfa?> Read, IReadOnlyList<JsonValue> Values) Only(JsonValue value)
        => (() => value.IsPossible ? Punctuation.AnyName : null, [value]);
}
