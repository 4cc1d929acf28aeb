using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>&lt;tool_call&gt;{"name": …, "arguments": …}&lt;/tool_call&gt;</c>, as Hermes and Qwen write it; also what models
/// without a format of their own are told to write.
/// </summary>
public sealed class HermesToolCallFormat : IToolCallFormat
{
    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";

    internal static JsonSerializerOptions Json { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var options = tools.Select(tool => (ConstraintDefinition)new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Literal($"\n{{\"name\": {JsonSerializer.Serialize(tool.Name, Json)}, \"arguments\": "),
            new ConstraintDefinition.JsonSchema(tool.JsonSchema.GetRawText(), json),
            new ConstraintDefinition.Literal($"}}\n{Close}"))).ToArray();
        var call = options.Length == 1 ? options[0] : new ConstraintDefinition.Choice(options);
        return parallel
            ? new ConstraintDefinition.Sequence(
                call,
                new ConstraintDefinition.Repeat(
                    new ConstraintDefinition.Sequence(new ConstraintDefinition.Literal($"\n{Open}"), call), 0, 7))
            : call;
    }

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.IndexOf(Open, at, StringComparison.Ordinal) is var open and >= 0)
        {
            var start = open + Open.Length;
            var close = answer.IndexOf(Close, start, StringComparison.Ordinal);
            var end = close < 0 ? answer.Length : close;
            if (!TryRead(answer[start..end], calls))
            {
                text.Append(answer, at, start - at);
                at = start;
                continue;
            }

            text.Append(answer, at, open - at);
            at = close < 0 ? answer.Length : close + Close.Length;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return string.Join('\n', calls.Select(call =>
            $"{Open}\n{{\"name\": {JsonSerializer.Serialize(call.Name, Json)}, \"arguments\": {JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(), Json)}}}\n{Close}"));
    }

    private static bool TryRead(string json, List<FunctionCallContent> calls)
    {
        try
        {
            if (JsonNode.Parse(json) is not JsonObject call
                || call["name"] is not JsonValue name || !name.TryGetValue<string>(out var function))
            {
                return false;
            }

            calls.Add(new FunctionCallContent($"call_{calls.Count}", function, Arguments(call["arguments"])));
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Dictionary<string, object?> Arguments(JsonNode? node) =>
        node is JsonObject arguments
            ? arguments.ToDictionary(p => p.Key, p => (object?)(p.Value is null ? null : JsonSerializer.SerializeToElement(p.Value)))
            : [];
}
