using System.Text.Json;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>Tells whether a given value is valid under a schema; used to sift the values of enum and const.</summary>
internal sealed class SchemaValidator(SchemaNormalizer patterns)
{
    private const int MaxDepth = 200;
    private int _depth;

    public bool IsValid(SchemaRef schema, JsonElement value)
    {
        if (schema.Element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return schema.Element.ValueKind == JsonValueKind.True;
        }

        if (++_depth > MaxDepth)
        {
            throw schema.Unsupported("$ref", "the schema refers to itself without end");
        }

        try
        {
            if (schema.Get("$ref") is { ValueKind: JsonValueKind.String } reference)
            {
                var isValid = IsValid(schema.Document.Resolve(schema, reference.GetString()!), value);
                if (!isValid || schema.Document.IgnoresSiblingsOfRef)
                {
                    return isValid;
                }
            }

            return schema.Element.EnumerateObject().All(keyword => Holds(schema, keyword.Name, keyword.Value, value))
                && (value.ValueKind != JsonValueKind.Object || ObjectHolds(schema, value))
                && (value.ValueKind != JsonValueKind.Array || ArrayHolds(schema, value));
        }
        finally
        {
            _depth--;
        }
    }

    private bool Holds(SchemaRef schema, string keyword, JsonElement wanted, JsonElement value)
    {
        switch (keyword)
        {
            case "type":
                return wanted.ValueKind == JsonValueKind.Array ? wanted.EnumerateArray().Any(type => IsOfType(type.GetString(), value)) : IsOfType(wanted.GetString(), value);
            case "const":
                return JsonEquality.Instance.Equals(wanted, value);
            case "enum":
                return wanted.EnumerateArray().Contains(value, JsonEquality.Instance);
            case "allOf":
                return schema.Children(keyword).All(part => IsValid(part, value));
            case "anyOf":
                return schema.Children(keyword).Any(part => IsValid(part, value));
            case "oneOf":
                return schema.Children(keyword).Count(part => IsValid(part, value)) == 1;
            case "not":
                return !IsValid(schema.Child(keyword), value);
            case "if":
                var branch = IsValid(schema.Child(keyword), value) ? "then" : "else";
                return schema.Get(branch) is null || IsValid(schema.Child(branch), value);
            case "minLength" or "maxLength" or "pattern" or "format" when value.ValueKind == JsonValueKind.String:
                return StringHolds(schema, keyword, wanted, value.GetString()!);
            case "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" when value.ValueKind == JsonValueKind.Number && wanted.ValueKind == JsonValueKind.Number:
                return NumberHolds(schema, keyword, wanted, value);
            case "unevaluatedProperties" or "unevaluatedItems" or "$dynamicRef" or "$recursiveRef":
                throw schema.Unsupported(keyword);
            default:
                return true;
        }
    }

    private static bool IsOfType(string? type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && ExactDecimal.Parse(value.GetRawText()) is { IsInteger: true },
        _ => false,
    };

    private bool StringHolds(SchemaRef schema, string keyword, JsonElement wanted, string text)
    {
        switch (keyword)
        {
            case "pattern":
                return patterns.Pattern(schema, keyword, wanted.GetString()!).Accepts(text);
            case "format":
                var format = wanted.ValueKind == JsonValueKind.String ? wanted.GetString()! : "";
                return Formats.IsRefused(format) ? throw schema.Unsupported("format", format) : Formats.Find(format)?.Accepts(text) ?? true;
            default:
                var length = text.EnumerateRunes().Count();
                return keyword == "minLength" ? length >= wanted.GetDouble() : length <= wanted.GetDouble();
        }
    }

    private static bool NumberHolds(SchemaRef schema, string keyword, JsonElement wanted, JsonElement value)
    {
        if (ExactDecimal.Parse(wanted.GetRawText()) is not { } bound || ExactDecimal.Parse(value.GetRawText()) is not { } number)
        {
            throw schema.Unsupported(keyword, "the number is too large");
        }

        var order = number.CompareTo(bound);
        return keyword switch
        {
            "minimum" => schema.Get("exclusiveMinimum") is { ValueKind: JsonValueKind.True } ? order > 0 : order >= 0,
            "maximum" => schema.Get("exclusiveMaximum") is { ValueKind: JsonValueKind.True } ? order < 0 : order <= 0,
            "exclusiveMinimum" => order > 0,
            "exclusiveMaximum" => order < 0,
            _ => number.IsMultipleOf(bound),
        };
    }

    private bool ArrayHolds(SchemaRef schema, JsonElement value)
    {
        var count = value.GetArrayLength();
        if ((schema.Get("minItems") is { } min && count < min.GetDouble()) || (schema.Get("maxItems") is { } max && count > max.GetDouble())
            || (schema.Get("uniqueItems") is { ValueKind: JsonValueKind.True } && value.EnumerateArray().Distinct(JsonEquality.Instance).Count() < count))
        {
            return false;
        }

        var list = schema.Get("prefixItems") is not null ? "prefixItems" : schema.Get("items") is { ValueKind: JsonValueKind.Array } ? "items" : null;
        var prefix = list is null ? [] : schema.Children(list).ToArray();
        var restKeyword = list == "items" ? "additionalItems" : "items";
        var rest = schema.Get(restKeyword) is null ? null : schema.Child(restKeyword);
        var index = 0;
        var matches = 0;
        var contains = schema.Get("contains") is null ? null : schema.Child("contains");
        foreach (var item in value.EnumerateArray())
        {
            var itemSchema = index < prefix.Length ? prefix[index] : rest;
            if (itemSchema is not null && !IsValid(itemSchema, item))
            {
                return false;
            }

            matches += contains is not null && IsValid(contains, item) ? 1 : 0;
            index++;
        }

        return contains is null || (matches >= (schema.Get("minContains")?.GetDouble() ?? 1) && matches <= (schema.Get("maxContains")?.GetDouble() ?? double.MaxValue));
    }

    private bool ObjectHolds(SchemaRef schema, JsonElement value)
    {
        var properties = value.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal);
        if ((schema.Get("minProperties") is { } min && properties.Count < min.GetDouble()) || (schema.Get("maxProperties") is { } max && properties.Count > max.GetDouble())
            || (schema.Get("required") is { ValueKind: JsonValueKind.Array } required && required.EnumerateArray().Any(name => !properties.ContainsKey(name.GetString()!))))
        {
            return false;
        }

        foreach (var (name, property) in properties)
        {
            var known = schema.Get("properties") is { } declared && declared.TryGetProperty(name, out _);
            if (known && !IsValid(schema.Child("properties", name), property))
            {
                return false;
            }

            foreach (var pattern in schema.Get("patternProperties")?.EnumerateObject().Select(pattern => pattern.Name) ?? [])
            {
                if (patterns.Pattern(schema, "patternProperties", pattern).Accepts(name))
                {
                    known = true;
                    if (!IsValid(schema.Child("patternProperties", pattern), property))
                    {
                        return false;
                    }
                }
            }

            if (!known && schema.Get("additionalProperties") is not null && !IsValid(schema.Child("additionalProperties"), property))
            {
                return false;
            }

            if (schema.Get("propertyNames") is not null && !IsValid(schema.Child("propertyNames"), JsonSerializer.SerializeToElement(name)))
            {
                return false;
            }
        }

        foreach (var keyword in (ReadOnlySpan<string>)["dependencies", "dependentRequired", "dependentSchemas"])
        {
            if (schema.Get(keyword) is not { ValueKind: JsonValueKind.Object } dependencies)
            {
                continue;
            }

            foreach (var dependency in dependencies.EnumerateObject().Where(dependency => properties.ContainsKey(dependency.Name)))
            {
                var holds = dependency.Value.ValueKind switch
                {
                    JsonValueKind.Array => dependency.Value.EnumerateArray().All(name => properties.ContainsKey(name.GetString()!)),
                    JsonValueKind.String => properties.ContainsKey(dependency.Value.GetString()!),
                    _ => IsValid(schema.Child(keyword, dependency.Name), value),
                };
                if (!holds)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
