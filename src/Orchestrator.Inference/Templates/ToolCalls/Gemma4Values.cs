using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>Values as Gemma 4 writes them; JSON's own spelling is read too.</summary>
/// <param name="source">The text that the value stands in.</param>
/// <param name="start">Where it begins.</param>
internal sealed class Gemma4Values(string source, int start)
{
    /// <summary>Stands around texts.</summary>
    public const string Quote = "<|\"|>";

    private const int MaxDepth = 64;
    private int _depth;
    private bool _failed;

    /// <summary>Where the value ended.</summary>
    public int At { get; private set; } = start;

    /// <summary>Reads the value; null where there is none, or it is null.</summary>
    public JsonNode? Read()
    {
        var value = Value();
        return _failed ? null : value;
    }

    /// <summary>Writes a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="data">What is applied to texts and names.</param>
    public static string Write(JsonNode? value, Func<string, string> data) => value switch
    {
        JsonObject o => $"{{{string.Join(',', o.Select(p => $"{data(p.Key)}:{Write(p.Value, data)}"))}}}",
        JsonArray a => $"[{string.Join(',', a.Select(item => Write(item, data)))}]",
        JsonValue v when v.GetValueKind() == JsonValueKind.String => $"{Quote}{data(v.GetValue<string>())}{Quote}",
        _ => value?.ToJsonString(CallJson.Options) ?? "null",
    };

    private JsonNode? Value()
    {
        SkipSpace();
        if (At >= source.Length || _depth >= MaxDepth)
        {
            return Fail();
        }

        if (Text() is { } text)
        {
            return JsonValue.Create(text);
        }

        _depth++;
        var value = source[At] switch
        {
            '{' => Object(),
            '[' => Array(),
            _ => Word(),
        };
        _depth--;
        return value;
    }

    private JsonObject? Object()
    {
        var value = new JsonObject();
        At++;
        while (!_failed && !Takes('}'))
        {
            var name = Text();
            if (name is null)
            {
                var colon = source.AsSpan(At).IndexOf(':');
                name = colon < 1 ? null : Clean(source.AsSpan(At, colon).Trim());
                At += Math.Max(0, colon);
            }

            if (string.IsNullOrEmpty(name) || !Takes(':'))
            {
                Fail();
                break;
            }

            value[name] = Value();
            _ = Takes(',') || Ahead('}') || Fail() is not null;
        }

        return value;
    }

    private JsonArray? Array()
    {
        var value = new JsonArray();
        At++;
        while (!_failed && !Takes(']'))
        {
            value.Add(Value());
            _ = Takes(',') || Ahead(']') || Fail() is not null;
        }

        return value;
    }

    /// <summary>A text between quotes of either kind; null where none begins here.</summary>
    private string? Text()
    {
        SkipSpace();
        var rest = source.AsSpan(At);
        if (rest.StartsWith(Quote))
        {
            var end = rest[Quote.Length..].IndexOf(Quote);
            if (end < 0)
            {
                Fail();
                return "";
            }

            At += end + (2 * Quote.Length);
            return Clean(rest.Slice(Quote.Length, end));
        }

        if (!rest.StartsWith("\""))
        {
            return null;
        }

        var length = 1;
        while (length < rest.Length && rest[length] != '"')
        {
            length += rest[length] == '\\' ? 2 : 1;
        }

        try
        {
            var text = length < rest.Length ? JsonSerializer.Deserialize<string>(Encoding.UTF8.GetBytes(rest[..(length + 1)].ToString())) : null;
            At += length + 1;
            return text is null ? throw new JsonException() : Clean(text);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair in an escape is an invalid operation.
            Fail();
            return "";
        }
    }

    /// <summary>A number, a truth value or nothing; any other word is a text.</summary>
    private JsonNode? Word()
    {
        var length = source.AsSpan(At).IndexOfAny(",}]");
        if (length < 1)
        {
            return Fail();
        }

        var word = Clean(source.AsSpan(At, length).Trim());
        At += length;
        if (word is "null" or "None")
        {
            return null;
        }

        try
        {
            return word is ['-' or (>= '0' and <= '9'), ..] or "true" or "false" ? JsonNode.Parse(word) : JsonValue.Create(word);
        }
        catch (JsonException)
        {
            return JsonValue.Create(word);
        }
    }

    private bool Takes(char character)
    {
        var ahead = Ahead(character);
        At += ahead ? 1 : 0;
        return ahead;
    }

    private bool Ahead(char character)
    {
        SkipSpace();
        return At < source.Length && source[At] == character;
    }

    private void SkipSpace()
    {
        while (At < source.Length && char.IsWhiteSpace(source[At]))
        {
            At++;
        }
    }

    private JsonNode? Fail()
    {
        _failed = true;
        return null;
    }

    // Marks are none of the value, and halves of surrogate pairs have no JSON.
    private static string Clean(ReadOnlySpan<char> text) =>
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(ContentMarks.Strip(text.ToString())));
}
