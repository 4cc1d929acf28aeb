using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Suites;

/// <summary>Writes JSON as Python's <c>json.dumps(x, ensure_ascii=False)</c> does.</summary>
internal static class PythonJson
{
    /// <summary>Writes a value; with an order, the properties that it names come first, in that order.</summary>
    public static string Write(JsonElement value, IReadOnlyDictionary<string, int>? order = null)
    {
        var builder = new StringBuilder();
        Write(builder, value, order);
        return builder.ToString();
    }

    private static void Write(StringBuilder builder, JsonElement value, IReadOnlyDictionary<string, int>? order)
    {
        var first = true;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                builder.Append('{');
                var properties = value.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).Select(group => group.Last());
                foreach (var property in order is null ? properties : properties.OrderBy(property => order.TryGetValue(property.Name, out var at) ? at : int.MaxValue))
                {
                    builder.Append(first ? "" : ", ");
                    WriteString(builder, property.Name);
                    builder.Append(": ");
                    Write(builder, property.Value, order);
                    first = false;
                }

                builder.Append('}');
                break;
            case JsonValueKind.Array:
                builder.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    builder.Append(first ? "" : ", ");
                    Write(builder, item, order);
                    first = false;
                }

                builder.Append(']');
                break;
            case JsonValueKind.String:
                WriteString(builder, value.GetString()!);
                break;
            default:
                builder.Append(value.GetRawText());
                break;
        }
    }

    private static void WriteString(StringBuilder builder, string text)
    {
        builder.Append('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"':
                    builder.Append("\\\"");
                    break;
                case '\\':
                    builder.Append("\\\\");
                    break;
                case '\n':
                    builder.Append("\\n");
                    break;
                case '\r':
                    builder.Append("\\r");
                    break;
                case '\t':
                    builder.Append("\\t");
                    break;
                case '\b':
                    builder.Append("\\b");
                    break;
                case '\f':
                    builder.Append("\\f");
                    break;
                case < ' ':
                    builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    break;
                default:
                    builder.Append(c);
                    break;
            }
        }

        builder.Append('"');
    }
}
