using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>The keywords that speak of a value directly, and their negations.</summary>
internal sealed partial class SchemaNormalizer
{
    private static readonly string[] Refused =
    [
        "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "minContains", "maxContains", "extends", "disallow", "divisibleBy",
    ];

    /// <summary>Keywords that restrict nothing beyond what others, which are looked at, say.</summary>
    private Shape? Direct(SchemaRef schema)
    {
        foreach (var keyword in Refused)
        {
            if (schema.Get(keyword) is { } value && !IsTrivial(keyword, value))
            {
                throw schema.Unsupported(keyword);
            }
        }

        var shape = new Shape
        {
            Types = schema.Get("type") is { } type ? Types(schema, type, out var integer) : All(out integer),
            Number = Range(schema) with { Integer = integer },
            MinLength = Count(schema, "minLength") ?? 0,
            MaxLength = Count(schema, "maxLength") ?? int.MaxValue,
            Text = Text(schema),
            MinItems = Count(schema, "minItems") ?? 0,
            MaxItems = Count(schema, "maxItems") ?? int.MaxValue,
            Unique = schema.Get("uniqueItems") is { ValueKind: JsonValueKind.True } ? schema : null,
            MinProperties = Count(schema, "minProperties") ?? 0,
            MaxProperties = Count(schema, "maxProperties") ?? int.MaxValue,
            Counted = Count(schema, "minProperties") is > 1 ? schema : null,
            Required = Required(schema),
            Arrays = Arrays(schema),
            Contains = schema.Get("contains") is not null ? [Formula.Of(schema.Child("contains"))] : [],
            Objects = Objects(schema),
            PropertyNames = schema.Get("propertyNames") is not null ? [Formula.Of(schema.Child("propertyNames"))] : [],
        };
        return shape.Reduced();
    }

    private static bool IsTrivial(string keyword, JsonElement value)
        => keyword switch
        {
            "minContains" => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count == 1,
            "unevaluatedProperties" or "unevaluatedItems" => value.ValueKind == JsonValueKind.True,
            _ => false,
        };

    private static JsonTypes All(out bool integer)
    {
        integer = false;
        return JsonTypes.All;
    }

    private static JsonTypes Types(SchemaRef schema, JsonElement type, out bool integer)
    {
        integer = false;
        var types = JsonTypes.None;
        var names = type.ValueKind switch
        {
            JsonValueKind.String => [type],
            JsonValueKind.Array => type.EnumerateArray().ToArray(),
            _ => throw schema.Malformed("type", "it must be a name or an array of names"),
        };
        foreach (var name in names)
        {
            var known = name.ValueKind != JsonValueKind.String ? JsonTypes.None : name.GetString() switch
            {
                "null" => JsonTypes.Null,
                "boolean" => JsonTypes.Boolean,
                "number" or "integer" => JsonTypes.Number,
                "string" => JsonTypes.String,
                "array" => JsonTypes.Array,
                "object" => JsonTypes.Object,
                _ => JsonTypes.None,
            };
            types |= known != JsonTypes.None ? known : throw schema.Malformed("type", $"{name} is no type");
        }

        integer = names.Any(name => name.GetString() == "integer") && names.All(name => name.GetString() != "number");
        return types;
    }

    private static NumberRange Range(SchemaRef schema)
    {
        var range = new NumberRange();
        if (Decimal(schema, "minimum") is { } min)
        {
            range = range.And(new NumberRange(Min: min, MinExclusive: schema.Get("exclusiveMinimum") is { ValueKind: JsonValueKind.True }));
        }

        if (Decimal(schema, "maximum") is { } max)
        {
            range = range.And(new NumberRange(Max: max, MaxExclusive: schema.Get("exclusiveMaximum") is { ValueKind: JsonValueKind.True }));
        }

        if (Decimal(schema, "exclusiveMinimum") is { } above)
        {
            range = range.And(new NumberRange(Min: above, MinExclusive: true));
        }

        if (Decimal(schema, "exclusiveMaximum") is { } below)
        {
            range = range.And(new NumberRange(Max: below, MaxExclusive: true));
        }

        if (Decimal(schema, "multipleOf") is { } step)
        {
            range = step.Mantissa.Sign > 0 ? range with { MultipleOf = step } : throw schema.Malformed("multipleOf", "it must be above zero");
        }

        return range;
    }

    private static ExactDecimal? Decimal(SchemaRef schema, string keyword)
        => schema.Get(keyword) switch
        {
            null or { ValueKind: JsonValueKind.True or JsonValueKind.False } => null,
            { ValueKind: JsonValueKind.Number } value => ExactDecimal.Parse(value.GetRawText()) ?? throw schema.Unsupported(keyword, "the number is too large"),
            _ => throw schema.Malformed(keyword, "it must be a number"),
        };

    private static int? Count(SchemaRef schema, string keyword)
        => schema.Get(keyword) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var count) && count >= 0 && count == Math.Floor(count)
                => (int)Math.Min(count, int.MaxValue),
            _ => throw schema.Malformed(keyword, "it must be a whole number, 0 or more"),
        };

    private CharDfa? Text(SchemaRef schema)
    {
        CharDfa? text = null;
        if (schema.Get("pattern") is { } pattern)
        {
            text = Pattern(schema, "pattern", pattern.ValueKind == JsonValueKind.String ? pattern.GetString()! : throw schema.Malformed("pattern", "it must be a string"));
        }

        if (schema.Get("format") is { ValueKind: JsonValueKind.String } format)
        {
            if (Formats.IsRefused(format.GetString()!))
            {
                throw schema.Unsupported("format", format.GetString());
            }

            var known = Formats.Find(format.GetString()!);
            text = text is null ? known : known is null ? text : text.Intersect(known);
        }

        return text;
    }

    private static string[] Required(SchemaRef schema)
        => schema.Get("required") switch
        {
            { ValueKind: JsonValueKind.Array } names => [.. names.EnumerateArray().Select(name => name.ValueKind == JsonValueKind.String
                ? name.GetString()!
                : throw schema.Malformed("required", "it must hold names")).Distinct(StringComparer.Ordinal)],

            // Draft 3 put a boolean into the property's own schema; later drafts don't know it.
            null or { ValueKind: JsonValueKind.True or JsonValueKind.False } => [],
            _ => throw schema.Malformed("required", "it must be an array of names"),
        };

    private static IReadOnlyList<ArrayRule> Arrays(SchemaRef schema)
    {
        var prefix = schema.Get("prefixItems") is { ValueKind: JsonValueKind.Array } ? schema.Children("prefixItems").Select(item => Formula.Of(item)).ToArray() : null;
        Formula? rest = null;
        if (schema.Get("items") is { } items)
        {
            if (items.ValueKind == JsonValueKind.Array)
            {
                prefix = [.. schema.Children("items").Select(item => Formula.Of(item))];
                rest = schema.Get("additionalItems") is null ? null : Formula.Of(schema.Child("additionalItems"));
            }
            else
            {
                rest = Formula.Of(schema.Child("items"));
            }
        }

        return prefix is null && rest is null ? [] : [new ArrayRule(prefix ?? [], rest ?? Formula.True)];
    }

    private IReadOnlyList<ObjectRule> Objects(SchemaRef schema)
    {
        var properties = new List<KeyValuePair<string, Formula>>();
        var patterns = new List<(CharDfa, Formula)>();
        if (schema.Get("properties") is { } declared)
        {
            if (declared.ValueKind != JsonValueKind.Object)
            {
                throw schema.Malformed("properties", "it must be an object");
            }

            properties.AddRange(declared.EnumerateObject().Select(property => property.Name).Distinct(StringComparer.Ordinal)
                .Select(name => KeyValuePair.Create(name, Formula.Of(schema.Child("properties", name)))));
        }

        if (schema.Get("patternProperties") is { ValueKind: JsonValueKind.Object } matched)
        {
            patterns.AddRange(matched.EnumerateObject().Select(property => (Pattern(schema, "patternProperties", property.Name), Formula.Of(schema.Child("patternProperties", property.Name)))));
        }

        var additional = schema.Get("additionalProperties") is null ? null : Formula.Of(schema.Child("additionalProperties"));
        return properties.Count == 0 && patterns.Count == 0 && additional is null
            ? []
            : [new ObjectRule(properties, patterns, additional ?? Formula.True, additional is null)];
    }
}
