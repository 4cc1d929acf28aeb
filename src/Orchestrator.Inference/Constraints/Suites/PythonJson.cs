using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Suites;

/// <summary>Writes JSON as Python's <c>json.dumps(x, ensure_ascii=False)</c> does.</summary>
internal static class PythonJson
{
    public static string Write(JsonElement value)
    {
        var builder = new StringBuilder();
        Write(builder, value);
        return builder.ToString();
    }

    public static string WriteName(string name)
    {
        var builder = new StringBuilder();
        WriteString(builder, name);
        return builder.ToString();
    }

    private static void Write(StringBuilder builder, JsonElement value)
    {
        var first = true;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                builder.Append('{');
                foreach (var property in value.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).Select(group => group.Last()))
                {
                    builder.Append(first ? "" : ", ");
                    WriteString(builder, property.Name);
                    builder.Append(": ");
                    Write(builder, property.Value);
                    first = false;
                }

                builder.Append('}');
                break;
            case JsonValueKind.Array:
                builder.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    builder.Append(first ? "" : ", ");
                    Write(builder, item);
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
