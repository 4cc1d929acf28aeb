using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>Negation: a schema is a conjunction of keywords, so its negation is an alternative for each of them.</summary>
internal sealed partial class SchemaNormalizer
{
    private static readonly string[] Annotations =
    [
        "$schema", "$id", "id", "$anchor", "$comment", "$defs", "definitions", "$vocabulary", "title", "description", "default", "examples", "example",
        "readOnly", "writeOnly", "deprecated", "contentEncoding", "contentMediaType", "then", "else",
    ];

    private IReadOnlyList<Shape> ExpandNegated(SchemaRef schema)
    {
        var shapes = new List<Shape>();
        if (schema.Get("$ref") is { } reference)
        {
            shapes.AddRange(Expand(Target(schema, reference), true));
            if (schema.Document.IgnoresSiblingsOfRef)
            {
                return shapes;
            }
        }

        foreach (var keyword in schema.Element.EnumerateObject())
        {
            if (keyword.Name != "$ref" && Array.IndexOf(Annotations, keyword.Name) < 0)
            {
                shapes.AddRange(NegateKeyword(schema, keyword.Name, keyword.Value));
            }
        }

        return shapes;
    }

    private IEnumerable<Shape> NegateKeyword(SchemaRef schema, string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type":
                var types = JsonTypes.All & ~Types(schema, value, out var integer);
                if (integer)
                {
                    throw schema.Unsupported("not", "of the type 'integer'");
                }

                return types == JsonTypes.None ? [] : [new Shape { Types = types }];
            case "const":
                return NegateValues(schema, [value]);
            case "enum":
                return NegateValues(schema, [.. value.EnumerateArray()]);
            case "minimum":
                return [Numbers(new NumberRange(Max: Decimal(schema, keyword), MaxExclusive: schema.Get("exclusiveMinimum") is not { ValueKind: JsonValueKind.True }))];
            case "maximum":
                return [Numbers(new NumberRange(Min: Decimal(schema, keyword), MinExclusive: schema.Get("exclusiveMaximum") is not { ValueKind: JsonValueKind.True }))];
            case "exclusiveMinimum":
                return Decimal(schema, keyword) is { } above ? [Numbers(new NumberRange(Max: above))] : [];
            case "exclusiveMaximum":
                return Decimal(schema, keyword) is { } below ? [Numbers(new NumberRange(Min: below))] : [];
            case "minLength":
                return Below(schema, keyword, count => new Shape { Types = JsonTypes.String, MaxLength = count });
            case "maxLength":
                return [new Shape { Types = JsonTypes.String, MinLength = Above(schema, keyword) }];
            case "pattern" or "format":
                var text = keyword == "format" ? FormatOnly(schema) : Pattern(schema, "pattern", value.GetString()!);
                return text is null ? [] : Some(new Shape { Types = JsonTypes.String, Text = text.Complement() });
            case "minItems":
                return Below(schema, keyword, count => new Shape { Types = JsonTypes.Array, MaxItems = count });
            case "maxItems":
                return [new Shape { Types = JsonTypes.Array, MinItems = Above(schema, keyword) }];
            case "items" when value.ValueKind != JsonValueKind.Array && schema.Get("prefixItems") is null:
                return [new Shape { Types = JsonTypes.Array, MinItems = 1, Contains = [Formula.Of(schema.Child("items"), negated: true)] }];
            case "contains":
                return [new Shape { Types = JsonTypes.Array, Arrays = [new ArrayRule([], Formula.Of(schema.Child("contains"), negated: true))] }];
            case "required":
                return Required(schema).Select(name => Absent(name) with { Types = JsonTypes.Object });
            case "properties":
                return value.EnumerateObject().Select(property => property.Name).Distinct(StringComparer.Ordinal).Select(name => new Shape
                {
                    Types = JsonTypes.Object,
                    Required = [name],
                    Objects = [new ObjectRule([new(name, Formula.Of(schema.Child("properties", name), negated: true))], [], Formula.True, IsOpen: true)],
                }).Where(shape => !IsPlainlyEmpty(shape));
            case "minProperties":
                return Below(schema, keyword, count => new Shape { Types = JsonTypes.Object, MaxProperties = count });
            case "maxProperties":
                var least = Above(schema, keyword);
                return [new Shape { Types = JsonTypes.Object, MinProperties = least, Counted = least > 1 ? schema : null }];
            case "additionalProperties" when value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any()):
                return [];
            case "uniqueItems" when value.ValueKind == JsonValueKind.False:
                return [];
            case "allOf":
                return Parts(schema, keyword).SelectMany(part => Expand(part, true));
            case "anyOf":
                return Parts(schema, keyword).Aggregate((IReadOnlyList<Shape>)[Shape.All], (shapes, part) => Product(shapes, Expand(part, true), schema));
            case "oneOf":
                return NegateOneOf(schema);
            case "not":
                return Expand(schema.Child("not"), false);
            case "if":
                var then = schema.Get("then") is null ? [] : Product(Expand(schema.Child("if"), false), Expand(schema.Child("then"), true), schema);
                var otherwise = schema.Get("else") is null ? [] : Product(Expand(schema.Child("if"), true), Expand(schema.Child("else"), true), schema);
                return [.. then, .. otherwise];
            case "additionalProperties" or "patternProperties" or "propertyNames" or "uniqueItems" or "multipleOf" or "items" or "prefixItems" or "additionalItems"
                or "dependencies" or "dependentRequired" or "dependentSchemas":
                throw schema.Unsupported("not", $"of '{keyword}'");
            default:
                return Array.IndexOf(Refused, keyword) >= 0 ? throw schema.Unsupported(keyword) : [];
        }
    }

    private List<Shape> NegateOneOf(SchemaRef schema)
    {
        var parts = Parts(schema, "oneOf").ToArray();
        var result = new List<Shape>(parts.Aggregate((IReadOnlyList<Shape>)[Shape.All], (shapes, part) => Product(shapes, Expand(part, true), schema)));
        for (var i = 0; i < parts.Length; i++)
        {
            for (var j = i + 1; j < parts.Length; j++)
            {
                result.AddRange(Product(Expand(parts[i], false), Expand(parts[j], false), schema));
            }
        }

        return result;
    }

    private static CharDfa? FormatOnly(SchemaRef schema)
    {
        var format = schema.Get("format")!.Value.GetString()!;
        return Formats.IsRefused(format) ? throw schema.Unsupported("format", format) : Formats.Find(format);
    }

    private static Shape Numbers(NumberRange range) => new() { Types = JsonTypes.Number, Number = range };

    private static IReadOnlyList<Shape> Some(Shape shape) => shape.Reduced() is { } reduced ? [reduced] : [];

    private static IReadOnlyList<Shape> Below(SchemaRef schema, string keyword, Func<int, Shape> shape)
        => Count(schema, keyword) is { } count and > 0 ? [shape(count - 1)] : [];

    private static int Above(SchemaRef schema, string keyword) => Math.Min(Count(schema, keyword)!.Value, int.MaxValue - 1) + 1;

    /// <summary>All values but some.</summary>
    private static IReadOnlyList<Shape> NegateValues(SchemaRef schema, JsonElement[] values)
    {
        var types = JsonTypes.All;
        var strings = new List<string>();
        var numbers = new List<ExactDecimal>();
        foreach (var value in values)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Null:
                    types &= ~JsonTypes.Null;
                    break;
                case JsonValueKind.True:
                    types &= ~JsonTypes.True;
                    break;
                case JsonValueKind.False:
                    types &= ~JsonTypes.False;
                    break;
                case JsonValueKind.String:
                    strings.Add(value.GetString()!);
                    break;
                case JsonValueKind.Number:
                    numbers.Add(ExactDecimal.Parse(value.GetRawText()) ?? throw schema.Unsupported("not", "of an enormous number"));
                    break;
                default:
                    throw schema.Unsupported("not", "of an array or object among 'enum' or 'const'");
            }
        }

        var text = strings.Count == 0 ? null : CharDfa.OfWords(strings).Complement();
        if (numbers.Count == 0)
        {
            return [new Shape { Types = types, Text = text }];
        }

        // Between, below and above the numbers.
        numbers.Sort();
        var shapes = new List<Shape> { new() { Types = types & ~JsonTypes.Number, Text = text } };
        ExactDecimal? low = null;
        foreach (var number in numbers.Distinct())
        {
            shapes.Add(Numbers(new NumberRange(low, low is not null, number, true)));
            low = number;
        }

        shapes.Add(Numbers(new NumberRange(low, true)));
        return shapes;
    }
}
