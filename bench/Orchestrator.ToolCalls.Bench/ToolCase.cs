using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Orchestrator.ToolCalls.Bench;

/// <summary>A request, the functions on offer, and the calls that count as right.</summary>
/// <param name="Id">The case's id in the suite.</param>
/// <param name="Messages">What is asked.</param>
/// <param name="Tools">The functions on offer.</param>
/// <param name="Function">The function to call.</param>
/// <param name="Answer">For each parameter, the values that are right; an empty text among them allows leaving it out.</param>
internal sealed record ToolCase(
    string Id, IReadOnlyList<ChatMessage> Messages, IReadOnlyList<AIFunctionDeclaration> Tools, string Function, JsonElement Answer)
{
    /// <summary>Reads a suite in the format of the Berkeley Function Calling Leaderboard, one case a line.</summary>
    /// <param name="suite">Lines with id, question and function, and perhaps ground_truth.</param>
    /// <param name="answers">Lines with id and ground_truth, where they are kept apart; null where the suite has them.</param>
    public static IEnumerable<ToolCase> Read(string suite, string? answers)
    {
        var truths = answers is null ? null : File.ReadLines(answers).Where(l => l.Length > 0)
            .Select(l => JsonDocument.Parse(l).RootElement)
            .ToDictionary(e => e.GetProperty("id").GetString()!, e => e.GetProperty("ground_truth"));
        foreach (var line in File.ReadLines(suite).Where(l => l.Length > 0))
        {
            var root = JsonDocument.Parse(line).RootElement;
            var id = root.GetProperty("id").GetString()!;
            var truth = truths is null ? root.GetProperty("ground_truth") : truths[id];
            var call = truth[0].EnumerateObject().Single();
            yield return new ToolCase(
                id,
                [.. root.GetProperty("question")[0].EnumerateArray().Select(m =>
                    new ChatMessage(new ChatRole(m.GetProperty("role").GetString()!), m.GetProperty("content").GetString()))],
                [.. root.GetProperty("function").EnumerateArray().Select(ToTool)],
                call.Name,
                call.Value);
        }
    }

    private static AIFunctionDeclaration ToTool(JsonElement function) => AIFunctionFactory.CreateDeclaration(
        function.GetProperty("name").GetString()!,
        function.GetProperty("description").GetString(),
        JsonSerializer.SerializeToElement(ToSchema(JsonNode.Parse(function.GetProperty("parameters").GetRawText()))));

    /// <summary>The suite names types as Python does; JSON schema has its own names.</summary>
    private static JsonNode? ToSchema(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            return new JsonArray([.. array.Select(ToSchema)]);
        }

        if (node is not JsonObject schema)
        {
            return node?.DeepClone();
        }

        var result = new JsonObject();
        foreach (var (key, value) in schema)
        {
            if (key == "type" && value is JsonValue name && name.TryGetValue<string>(out var type))
            {
                if (type != "any")
                {
                    result[key] = type switch { "dict" => "object", "float" => "number", "tuple" => "array", _ => type };
                }
            }
            else if (key is "properties" or "items" || schema["type"] is null)
            {
                result[key] = ToSchema(value);
            }
            else if (key is "description" or "enum" or "default" or "required")
            {
                result[key] = value?.DeepClone();
            }
        }

        return result;
    }
}
