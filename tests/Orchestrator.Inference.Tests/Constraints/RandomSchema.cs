using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Tests.Constraints;

/// <summary>Draws schemas at random: all keywords that are supported, nested, with references and combinations.</summary>
internal sealed class RandomSchema(Random random, bool formats)
{
    private static readonly string[] Names = ["a", "b", "name", "né\"me", "x1", "x2", "y-z"];
    private static readonly string[] Patterns = ["^[a-c]+$", "b", "^x", "^\\d{2,3}$", "(foo|ba*r)$", "^.?$", "[^a]", "^(?!ab)[a-d]*$", "\\s", "^\\w+-\\w+$", "é|日"];
    private static readonly string[] Formats = ["date", "date-time", "time", "uuid", "ipv4", "ipv6", "email", "hostname", "uri", "duration", "json-pointer"];

    public JsonObject Draw()
    {
        var schema = Object(3);
        if (schema.ContainsKey("$ref"))
        {
            schema = new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        }

        schema["$defs"] = new JsonObject { ["d0"] = Object(2), ["d1"] = Object(1), ["d2"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["next"] = new JsonObject { ["$ref"] = "#/$defs/d2" }, ["v"] = Schema(1) } } };
        return schema;
    }

    private JsonNode Schema(int depth) => random.Next(20) switch { 0 => JsonValue.Create(true), 1 => JsonValue.Create(random.Next(3) > 0), _ => Object(depth) };

    private JsonObject Object(int depth)
    {
        var kind = random.Next(depth > 0 ? 14 : 6);
        switch (kind)
        {
            case 0:
                return Numbers();
            case 1 or 2:
                return Strings();
            case 3:
                return new JsonObject { ["enum"] = new JsonArray([.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Value(1))]) };
            case 4:
                return new JsonObject { ["type"] = Types() };
            case 5:
                return random.Next(2) == 0 ? new JsonObject { ["$ref"] = $"#/$defs/d{random.Next(3)}" } : new JsonObject { ["const"] = Value(1) };
            case 6 or 7 or 8:
                return Objects(depth);
            case 9 or 10:
                return Arrays(depth);
            case 11:
                return new JsonObject { [random.Next(3) == 0 ? "oneOf" : "anyOf"] = List(depth) };
            case 12:
                var both = random.Next(2) == 0 ? Objects(depth) : Strings();
                both["allOf"] = List(depth - 1);
                return both;
            default:
                var other = Objects(depth);
                other["if"] = new JsonObject { ["properties"] = new JsonObject { [Name()] = Strings() }, ["required"] = new JsonArray(Name()) };
                other[random.Next(2) == 0 ? "then" : "else"] = Objects(depth - 1);
                return random.Next(2) == 0 ? other : new JsonObject { ["not"] = new JsonObject { ["type"] = Types() }, ["minimum"] = 3 };
        }
    }

    private JsonArray List(int depth) => new([.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => (JsonNode)Object(depth - 1))]);

    private JsonNode Types()
    {
        string[] types = ["null", "boolean", "integer", "number", "string", "array", "object"];
        return random.Next(2) == 0 ? JsonValue.Create(types[random.Next(types.Length)]) : new JsonArray([.. types.Where(_ => random.Next(3) == 0).DefaultIfEmpty("null").Select(type => (JsonNode)JsonValue.Create(type))]);
    }

    private string Name() => Names[random.Next(Names.Length)];

    private JsonNode Number() => random.Next(3) switch
    {
        0 => JsonValue.Create(random.Next(-20, 120)),
        1 => JsonNode.Parse((random.Next(-2000, 2000) / 8.0).ToString(CultureInfo.InvariantCulture))!,
        _ => JsonValue.Create(random.Next(-3, 4)),
    };

    private JsonObject Numbers()
    {
        var schema = new JsonObject { ["type"] = random.Next(2) == 0 ? "integer" : "number" };
        Maybe(schema, random.Next(3) == 0 ? "exclusiveMinimum" : "minimum", Number);
        Maybe(schema, random.Next(3) == 0 ? "exclusiveMaximum" : "maximum", Number);
        if (random.Next(5) == 0)
        {
            schema["multipleOf"] = JsonNode.Parse(new[] { "1", "2", "7", "0.5", "25", "0.25" }[random.Next(6)]);
        }

        return schema;
    }

    private JsonObject Strings()
    {
        var schema = new JsonObject { ["type"] = "string" };
        Maybe(schema, "minLength", () => JsonValue.Create(random.Next(5)));
        Maybe(schema, "maxLength", () => JsonValue.Create(random.Next(9)));
        Maybe(schema, "pattern", () => JsonValue.Create(Patterns[random.Next(Patterns.Length)]));
        if (formats && random.Next(5) == 0)
        {
            schema = new JsonObject { ["type"] = "string", ["format"] = Formats[random.Next(Formats.Length)] };
        }

        return schema;
    }

    private JsonObject Arrays(int depth)
    {
        var schema = new JsonObject { ["type"] = "array" };
        Maybe(schema, "items", () => Schema(depth - 1));
        Maybe(schema, "minItems", () => JsonValue.Create(random.Next(3)));
        Maybe(schema, "maxItems", () => JsonValue.Create(random.Next(5)));
        if (random.Next(4) == 0)
        {
            schema["prefixItems"] = new JsonArray([.. Enumerable.Range(0, 1 + random.Next(2)).Select(_ => Schema(depth - 1))]);
        }
        else if (random.Next(5) == 0)
        {
            schema["contains"] = Schema(depth - 1);
        }

        return schema;
    }

    private JsonObject Objects(int depth)
    {
        var schema = new JsonObject();
        if (random.Next(4) > 0)
        {
            schema["type"] = "object";
        }

        var names = Names.Where(_ => random.Next(3) == 0).ToArray();
        schema["properties"] = new JsonObject(names.Select(name => KeyValuePair.Create<string, JsonNode?>(name, Schema(depth - 1))));
        schema["required"] = new JsonArray([.. Names.Where(name => random.Next(names.Contains(name) ? 2 : 12) == 0).Select(name => (JsonNode)JsonValue.Create(name))]);
        Maybe(schema, "additionalProperties", () => random.Next(2) == 0 ? JsonValue.Create(false) : Schema(depth - 1));
        if (random.Next(4) == 0)
        {
            schema["patternProperties"] = new JsonObject { [Patterns[random.Next(Patterns.Length)]] = Schema(depth - 1) };
        }

        if (random.Next(8) == 0)
        {
            schema["propertyNames"] = Strings();
        }

        if (random.Next(8) == 0)
        {
            schema["maxProperties"] = random.Next(5);
        }

        if (random.Next(8) == 0)
        {
            schema["minProperties"] = random.Next(3);
        }

        if (random.Next(8) == 0)
        {
            schema["dependentRequired"] = new JsonObject { [Name()] = new JsonArray(Name()) };
        }

        return schema;
    }

    private JsonNode? Value(int depth) => random.Next(depth > 0 ? 8 : 6) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(2) == 0),
        2 => Number(),
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(depth - 1))]),
        7 => new JsonObject(Names.Where(_ => random.Next(4) == 0).Select(name => KeyValuePair.Create(name, Value(depth - 1)))),
        _ => JsonValue.Create(new[] { "", "a", "abc", "é\n\"", "日本", "x-1" }[random.Next(6)]),
    };

    private void Maybe(JsonObject schema, string keyword, Func<JsonNode> value)
    {
        if (random.Next(3) == 0)
        {
            schema[keyword] = value();
        }
    }
}
