using System.Text.Json.Nodes;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Templates;

/// <summary>A message as templates take it.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">What is said.</param>
internal sealed record ChatTurn(string Role, string Content)
{
    public IReadOnlyList<JsonNode> Calls { get; init; } = [];

    /// <summary>What led to the calls.</summary>
    public string Reasoning { get; init; } = "";

    /// <summary>The results of the calls, where they belong to the same turn.</summary>
    public IReadOnlyList<ChatTurn> Results { get; init; } = [];

    /// <summary>What a call gave, as JSON.</summary>
    public JsonNode? Result { get; init; }

    public string? CallId { get; init; }

    public string? Name { get; init; }

    /// <summary>
    /// Puts calls and their results where the template takes them: each call in a turn of its own with its result behind
    /// it, where a message can hold one call only, or all results in the turn of their calls.
    /// </summary>
    public static List<ChatTurn> Arrange(List<ChatTurn> turns, IToolCallFormat format)
    {
        if (format.SeveralAtOnce && !format.ResultsWithCalls)
        {
            return turns;
        }

        var arranged = new List<ChatTurn>(turns.Count);
        for (var i = 0; i < turns.Count; i++)
        {
            var turn = turns[i];
            var results = turn.Calls.Count == 0 ? [] : turns.Skip(i + 1).TakeWhile(t => t.Role == "tool").ToList();
            i += results.Count;
            if (format.ResultsWithCalls)
            {
                arranged.Add(turn with { Results = results });
            }
            else if (turn.Calls.Count <= 1)
            {
                arranged.AddRange([turn, .. results]);
            }
            else
            {
                foreach (var (index, call) in turn.Calls.Index())
                {
                    arranged.Add(turn with { Calls = [call], Content = index == 0 ? turn.Content : "", Reasoning = index == 0 ? turn.Reasoning : "" });
                    arranged.AddRange(results.Where(r => r.CallId == call["id"]!.GetValue<string>()));
                }
            }
        }

        return arranged;
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["role"] = Role, ["content"] = Content };
        if (CallId is not null)
        {
            json["tool_call_id"] = CallId;
        }

        if (Name is not null)
        {
            json["name"] = Name;
        }

        if (Calls.Count > 0)
        {
            json["tool_calls"] = new JsonArray([.. Calls.Select(c => c.DeepClone())]);
        }

        if (Reasoning.Length > 0)
        {
            json["reasoning_content"] = Reasoning;
        }

        if (Results.Count > 0)
        {
            json["tool_responses"] = new JsonArray(
                [.. Results.Select(r => (JsonNode)new JsonObject { ["name"] = r.Name, ["response"] = r.Result?.DeepClone() })]);
        }

        return json;
    }
}
