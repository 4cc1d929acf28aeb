using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Planning;

/// <summary>The form in which a planner writes a plan: bounded throughout, so that it cannot run on.</summary>
internal static class PlanSchema
{
    internal const string AnyCapability = "any";
    private const int MaxDescription = 160;
    private const int MaxNeeds = 4;

    /// <summary>The most tokens that a plan can take: four bytes a character, a token a byte.</summary>
    internal static int MaxTokens(int maxTasks) => 64 + (maxTasks * ((MaxDescription * 4) + 96));

    /// <summary>The JSON schema of a plan.</summary>
    internal static JsonElement Write(int maxTasks, IReadOnlyList<string> capabilities)
    {
        JsonNode Ids() => new JsonObject
        {
            ["enum"] = new JsonArray([.. Enumerable.Range(1, maxTasks).Select(i => (JsonNode?)$"t{i}")]),
        };
        var properties = new JsonObject
        {
            ["id"] = Ids(),
            ["description"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = MaxDescription },
            ["needs"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = Ids(),
                ["maxItems"] = Math.Min(MaxNeeds, maxTasks),
            },
        };
        var required = new JsonArray("id", "description", "needs");
        if (capabilities.Count > 0)
        {
            properties["capability"] = new JsonObject
            {
                ["enum"] = new JsonArray([.. capabilities.Append(AnyCapability).Distinct().Select(c => (JsonNode?)c)]),
            };
            required.Add("capability");
        }

        return JsonSerializer.SerializeToElement<JsonNode>(new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["tasks"] = new JsonObject
                {
                    ["type"] = "array",
                    ["minItems"] = 1,
                    ["maxItems"] = maxTasks,
                    ["items"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["properties"] = properties,
                        ["required"] = required,
                        ["additionalProperties"] = false,
                    },
                },
            },
            ["required"] = new JsonArray("tasks"),
            ["additionalProperties"] = false,
        });
    }

    /// <summary>Reads what a planner wrote; a model that knows no constraint may have written anything.</summary>
    /// <returns>The plan, or null with the reason.</returns>
    internal static (Plan? Plan, string? Reason) Read(string text, string goal)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("tasks", out var tasks)
                || tasks.ValueKind != JsonValueKind.Array)
            {
                return (null, "The answer has no list of tasks.");
            }

            return (new Plan(goal, [.. tasks.EnumerateArray().Select(ReadTask)]), null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return (null, $"The answer is not a plan: {e.Message}");
        }
    }

    private static PlanTask ReadTask(JsonElement task)
    {
        var capability = task.TryGetProperty("capability", out var c) ? c.GetString() : null;
        return new PlanTask(
            task.GetProperty("id").GetString() ?? "",
            (task.GetProperty("description").GetString() ?? "").Trim(),
            task.TryGetProperty("needs", out var needs)
                ? [.. needs.EnumerateArray().Select(n => n.GetString() ?? "").Distinct(StringComparer.Ordinal)]
                : [],
            capability is null or AnyCapability ? null : capability);
    }
}
