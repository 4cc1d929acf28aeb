using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Server.OpenAi;

/// <summary>
/// Reads the parameters of a function. They ought to be a JSON schema; many clients write types as their own language
/// names them, or leave out what seems clear, and mean the same.
/// </summary>
internal static class ToolSchema
{
    // Values are schemas, by name or not.
    private static readonly HashSet<string> Named = ["properties", "patternProperties", "$defs", "definitions"];
    private static readonly HashSet<string> Nested = ["items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not"];

    /// <summary>The same parameters as a JSON schema of an object.</summary>
    public static JsonElement Read(JsonElement? parameters)
    {
        var schema = parameters is { ValueKind: JsonValueKind.Object } given ? Schema(JsonNode.Parse(given.GetRawText())!.AsObject()) : [];
        schema["type"] = "object";
        schema["properties"] ??= new JsonObject();
        return JsonSerializer.SerializeToElement(schema);
    }

    private static JsonObject Schema(JsonObject given)
    {
        var schema = new JsonObject();
        foreach (var (key, value) in given)
        {
            if (key == "type")
            {
                if (Type(value) is { } type)
                {
                    schema[key] = type;
                }
            }
            else if (key != "required" || value is JsonArray)
            {
                schema[key] = Named.Contains(key) && value is JsonObject named
                    ? new JsonObject(named.Select(p => KeyValuePair.Create(p.Key, Nest(p.Value))))
                    : Nested.Contains(key) ? Nest(value)
                    : value?.DeepClone();
            }
        }

        return WithOptionsOfItems(WithRequired(schema, given));
    }

    private static JsonNode? Nest(JsonNode? value) => value switch
    {
        JsonObject schema => Schema(schema),
        JsonArray schemas => new JsonArray([.. schemas.Select(Nest)]),
        _ => value?.DeepClone(),
    };

    /// <summary>The type's name in JSON schema; null where anything may stand there.</summary>
    private static JsonNode? Type(JsonNode? type) => type is JsonValue value && value.TryGetValue<string>(out var name)
        ? name.ToLowerInvariant() switch
        {
            "any" => null,
            "dict" or "map" or "hashmap" => "object",
            "float" or "double" or "decimal" => "number",
            "int" or "long" or "short" => "integer",
            "str" or "char" => "string",
            "bool" => "boolean",
            "list" or "tuple" or "arraylist" or "set" => "array",
            var known => known,
        }
        : type?.DeepClone();

    /// <summary>"required": true at a parameter itself means the same as its name in the list.</summary>
    private static JsonObject WithRequired(JsonObject schema, JsonObject given)
    {
        if (schema["required"] is null && given["properties"] is JsonObject properties)
        {
            JsonNode[] marked = [.. properties
                .Where(p => p.Value is JsonObject parameter && parameter["required"] is JsonValue required && required.GetValueKind() == JsonValueKind.True)
                .Select(p => (JsonNode)p.Key)];
            if (marked.Length > 0)
            {
                schema["required"] = new JsonArray(marked);
            }
        }

        return schema;
    }

    /// <summary>An enumeration of texts at a list is one of its items: no list is equal to a text.</summary>
    private static JsonObject WithOptionsOfItems(JsonObject schema)
    {
        if (schema["type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String && type.GetValue<string>() == "array"
            && schema["enum"] is JsonArray options && !options.Any(o => o is JsonArray))
        {
            var items = schema["items"] as JsonObject ?? [];
            items["enum"] = options.DeepClone();
            schema.Remove("enum");
            schema.Remove("items");
            schema["items"] = items;
        }

        return schema;
    }
}
