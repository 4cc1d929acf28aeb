using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Agents.Definitions;

/// <summary>Writes a shape as a JSON schema (2020-12), from which editors complete and check while one types.</summary>
internal static class DefinitionSchema
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    /// <summary>The schema of a file, as text with a line feed at its end.</summary>
    public static string Write(string title, ObjectShape shape)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = title,
        };
        foreach (var (key, value) in Schema(shape))
        {
            schema[key] = value?.DeepClone();
        }

        return schema.ToJsonString(Written) + "\n";
    }

    private static JsonObject Schema(Shape shape)
    {
        switch (shape)
        {
            case TextShape { OneOf: { } values }:
                return new JsonObject { ["enum"] = new JsonArray([.. values.Select(v => (JsonNode?)v)]) };
            case TextShape { Pattern: { } pattern }:
                return new JsonObject { ["type"] = "string", ["pattern"] = pattern };
            case TextShape:
                return new JsonObject { ["type"] = new JsonArray("string", "number", "boolean"), ["minLength"] = 1 };
            case IntegerShape i:
                var integer = new JsonObject { ["type"] = "integer", ["minimum"] = i.Minimum };
                if (i.Maximum < int.MaxValue)
                {
                    integer["maximum"] = i.Maximum;
                }

                return integer;
            case NumberShape n:
                return new JsonObject { ["type"] = "number", ["minimum"] = n.Minimum, ["maximum"] = n.Maximum };
            case FlagShape:
                return new JsonObject { ["type"] = "boolean" };
            case DurationShape:
                return new JsonObject { ["type"] = "string", ["pattern"] = Shape.DurationPattern };
            case ListShape l:
                var list = new JsonObject { ["type"] = "array", ["items"] = Schema(l.Item) };
                if (l.Minimum > 0)
                {
                    list["minItems"] = l.Minimum;
                }

                return list;
            case MapShape m:
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = Schema(m.Value) };
            case ObjectShape o:
                return Object(o);
            default:
                return [];
        }
    }

    private static JsonObject Object(ObjectShape shape)
    {
        var properties = new JsonObject();
        foreach (var key in shape.Keys)
        {
            var property = Schema(key.Shape);
            property["description"] = key.Description;
            if (key.Default is not null)
            {
                property["default"] = JsonSerializer.SerializeToNode(key.Default);
            }

            properties[key.Name] = property;
        }

        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        string[] required = [.. shape.Keys.Where(k => k.Required).Select(k => k.Name)];
        if (required.Length > 0)
        {
            schema["required"] = new JsonArray([.. required.Select(r => (JsonNode?)r)]);
        }

        return schema;
    }
}
