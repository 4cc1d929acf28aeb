using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Turns JSON into the values of templates, as Python's <c>json.loads</c> would.</summary>
internal static class JsonValues
{
    public static object? From(JsonNode? node) => node switch
    {
        null => null,
        JsonObject o => From(o),
        JsonArray array => new PyList([.. array.Select(From)]),
        JsonValue value when value.TryGetValue<JsonElement>(out var element) => From(element),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => From(JsonSerializer.SerializeToElement(node)),
    };

    public static PyDict From(JsonObject o)
    {
        var dict = new PyDict();
        foreach (var (key, value) in o)
        {
            dict[key] = From(value);
        }

        return dict;
    }

    public static object? From(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new PyDict();
                foreach (var property in element.EnumerateObject())
                {
                    dict[property.Name] = From(property.Value);
                }

                return dict;
            case JsonValueKind.Array:
                return new PyList([.. element.EnumerateArray().Select(From)]);
            case JsonValueKind.String:
                return element.GetString();
            case JsonValueKind.Number:
                var text = element.GetRawText();
                return text.AsSpan().ContainsAny(".eE")
                    ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)
                    : PyNumber.Shrink(PyNumber.ParseBig(text));
            case JsonValueKind.True or JsonValueKind.False:
                return PyNumber.Box(element.GetBoolean());
            default:
                return null;
        }
    }
}
