using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>The JSON that most families write calls in, and what formats share.</summary>
internal static class CallJson
{
    /// <summary>The most calls that follow each other.</summary>
    public const int MaxParallel = 8;

    private static readonly string MarkText = ContentMarks.Break.ToString();

    public static JsonSerializerOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A name or other text as a JSON string.</summary>
    public static string Quote(string text) => JsonSerializer.Serialize(text, Options);

    /// <summary>A call's name as a JSON string.</summary>
    public static string Name(FunctionCallContent call, Func<string, string>? data) => Apply(data, Quote(call.Name));

    /// <summary>A call's arguments as a JSON object.</summary>
    public static string Arguments(FunctionCallContent call, Func<string, string>? data = null) =>
        Apply(data, JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(), Options));

    private static string Apply(Func<string, string>? data, string text) => data is null ? text : data(text);

    /// <summary>One of the tools, each by its own shape.</summary>
    public static ConstraintDefinition OneOf(
        IReadOnlyList<AIFunctionDeclaration> tools, Func<AIFunctionDeclaration, ConstraintDefinition> shape)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var shapes = tools.Select(shape).ToArray();
        return shapes.Length == 1 ? shapes[0] : new ConstraintDefinition.Choice(shapes);
    }

    /// <summary>A tool's name and arguments that are valid for it, with the format's own text around them.</summary>
    /// <param name="before">What stands before the name.</param>
    /// <param name="tool">The tool.</param>
    /// <param name="name">Its name as it is written.</param>
    /// <param name="between">What stands between the name and the arguments.</param>
    /// <param name="json">How the arguments are written.</param>
    /// <param name="after">What stands after them.</param>
    public static ConstraintDefinition Call(
        string before, AIFunctionDeclaration tool, string name, string between, JsonConstraintOptions json, string after) =>
        new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Markup(before),
            new ConstraintDefinition.Literal(name),
            new ConstraintDefinition.Markup(between),
            new ConstraintDefinition.JsonSchema(Closed(tool.JsonSchema), json),
            new ConstraintDefinition.Markup(after));

    /// <summary>A call as an object <c>{"name": …, "arguments": …}</c>.</summary>
    public static ConstraintDefinition Object(string before, AIFunctionDeclaration tool, JsonConstraintOptions json, string after) =>
        Call($"{before}{{\"name\": ", tool, Quote(tool.Name), ", \"arguments\": ", json, $"}}{after}");

    // A function takes the parameters that it declares. A schema that names none accepts any object, and a model would
    // fill it with inventions.
    private static string Closed(JsonElement schema)
    {
        if (JsonNode.Parse(schema.GetRawText()) is not JsonObject closed || closed.ContainsKey("additionalProperties"))
        {
            return schema.GetRawText();
        }

        closed["additionalProperties"] = false;
        return closed.ToJsonString();
    }

    /// <summary>A part, and more of it after separators where calls may be parallel.</summary>
    public static ConstraintDefinition Several(ConstraintDefinition call, string separator, bool parallel) => parallel
        ? new ConstraintDefinition.Sequence(
            call,
            new ConstraintDefinition.Repeat(
                new ConstraintDefinition.Sequence(new ConstraintDefinition.Markup(separator), call), 0, MaxParallel - 1))
        : call;

    /// <summary>Reads a JSON object or list at the beginning of a text, white space aside.</summary>
    /// <returns>The value and where it ends, or null and 0 where there is none.</returns>
    public static (JsonElement? Value, int End) ReadPrefix(ReadOnlySpan<char> text)
    {
        var start = text.IndexOfAnyExcept(" \t\r\n" + MarkText);
        if (start < 0 || text[start] is not ('{' or '['))
        {
            return (null, 0);
        }

        // Marks may stand anywhere in an answer: they only keep texts from being read as special tokens.
        var source = text[start..];
        var bytes = Encoding.UTF8.GetBytes(ContentMarks.Strip(source.ToString()));
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowTrailingCommas = true });
        try
        {
            var value = JsonElement.ParseValue(ref reader);
            var end = start;
            for (var left = Encoding.UTF8.GetCharCount(bytes.AsSpan(0, (int)reader.BytesConsumed)); left > 0; end++)
            {
                left -= ContentMarks.Is(text[end]) ? 0 : 1;
            }

            return (value, end);
        }
        catch (JsonException)
        {
            return (null, 0);
        }
    }

    /// <summary>Adds the calls of a list, or of a single object; adds none where any of them is no call.</summary>
    public static bool TryAddAll(JsonElement? value, List<FunctionCallContent> calls)
    {
        var before = calls.Count;
        var all = value switch
        {
            { ValueKind: JsonValueKind.Array } list => list.GetArrayLength() > 0 && list.EnumerateArray().All(item => TryAdd(item, calls)),
            { } single => TryAdd(single, calls),
            null => false,
        };
        if (!all)
        {
            calls.RemoveRange(before, calls.Count - before);
        }

        return all;
    }

    /// <summary>Adds a call; arguments that come as text are read as JSON.</summary>
    public static void Add(List<FunctionCallContent> calls, string function, JsonElement? arguments)
    {
        if (arguments is { ValueKind: JsonValueKind.String } text)
        {
            arguments = ReadPrefix(text.GetString()).Value;
        }

        var values = new Dictionary<string, object?>();
        if (arguments is { ValueKind: JsonValueKind.Object } given)
        {
            foreach (var property in given.EnumerateObject())
            {
                values[property.Name] = property.Value.ValueKind == JsonValueKind.Null ? null : property.Value;
            }
        }

        calls.Add(new FunctionCallContent($"call_{calls.Count}", function, values));
    }

    /// <summary>Adds the call that an object like <c>{"name": …, "arguments": …}</c> is; false where it is none.</summary>
    private static bool TryAdd(JsonElement value, List<FunctionCallContent> calls)
    {
        value = Member(value, "function", JsonValueKind.Object) ?? value;
        if (Member(value, "name", JsonValueKind.String) is not { } name)
        {
            return false;
        }

        Add(calls, name.GetString()!, Member(value, "arguments") ?? Member(value, "parameters"));
        return true;
    }

    private static JsonElement? Member(JsonElement value, string name, JsonValueKind? kind = null) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var member) && (kind is null || member.ValueKind == kind)
            ? member
            : null;
}
