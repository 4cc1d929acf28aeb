using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// Lets an agent write down what a task brought to light, under a schema. Where the definition says how to extract facts,
/// they are records of what tools gave: the agent says which of them matter and what they are, and can't invent any.
/// </summary>
internal sealed class FactsStep(RunScope run, FactsDefinition definition)
{
    /// <summary>More records than this are no choice that a model could weigh.</summary>
    private const int MaxCandidates = 24;

    /// <summary>The facts as a message to all, or null where there are none: a result without facts is a result all the same.</summary>
    internal async Task<TeamMessage?> RunAsync(
        PlanTask task, IAgent agent, string cue, Transcript fork, AgentReply reply, CancellationToken cancellationToken)
    {
        if (Schema(reply) is not { } schema)
        {
            return null;
        }

        var turn = run.Turn(cue, fork) with { Schema = schema, Tools = [] };
        var outcome = await run.Turns.TakeAsync(agent, turn, task.Id, cancellationToken).ConfigureAwait(false);
        if (outcome.Reply?.Content is not { ValueKind: JsonValueKind.Object } content
            || !content.TryGetProperty("facts", out var written)
            || written.ValueKind != JsonValueKind.Array
            || written.GetArrayLength() == 0)
        {
            return null;
        }

        var facts = JsonSerializer.SerializeToElement(Distinct(written));
        return new TeamMessage(agent.Card.Name, $"(facts of {task.Id})\n{InWords(facts)}", Performative.Inform, facts);
    }

    private JsonElement? Schema(AgentReply reply)
    {
        JsonNode Fact() => JsonNode.Parse(definition.Schema.GetRawText())!;
        if (definition.Extract is not { } pattern)
        {
            return FactsSchema(Fact(), definition.MaxFacts);
        }

        var candidates = Candidates(new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.Multiline), reply);
        var alternatives = candidates.Select(values =>
        {
            var fact = Fact();
            foreach (var (name, value) in values)
            {
                fact["properties"]![name] = new JsonObject { ["const"] = value };
            }

            return fact;
        }).ToArray();
        return alternatives.Length switch
        {
            0 => null,
            1 => FactsSchema(alternatives[0], 1),
            _ => FactsSchema(new JsonObject { ["anyOf"] = new JsonArray(alternatives) }, Math.Min(definition.MaxFacts, alternatives.Length)),
        };
    }

    /// <summary>The records in what the tools gave, as the transcript shows it.</summary>
    private List<List<(string Name, string Value)>> Candidates(Regex pattern, AgentReply reply)
    {
        string[] names = [.. pattern.GetGroupNames().Where(n => !char.IsAsciiDigit(n[0]))];
        return
        [
            .. (reply.ToolResults ?? []).Where(r => !r.Failed)
                .SelectMany(r => pattern.Matches(TurnRecord.Cut(r.Result, run.Options.MaxToolResultCharacters)))
                .Select(m => names.Select(n => (n, m.Groups[n].Value)).ToList())
                .DistinctBy(v => string.Join('\n', v.Select(x => x.Value))).Take(MaxCandidates),
        ];
    }

    /// <summary>The facts without those that repeat another's extracted properties.</summary>
    private IEnumerable<JsonElement> Distinct(JsonElement facts)
    {
        string[] names = definition.Extract is { } pattern ? [.. new Regex(pattern, RegexOptions.NonBacktracking).GetGroupNames().Where(n => !char.IsAsciiDigit(n[0]))] : [];
        return facts.EnumerateArray().DistinctBy(f => names.Length > 0 && f.ValueKind == JsonValueKind.Object
            ? string.Join('\n', names.Select(n => f.TryGetProperty(n, out var v) ? v.ToString() : ""))
            : f.GetRawText());
    }

    private static JsonElement FactsSchema(JsonNode fact, int maxFacts) => JsonSerializer.SerializeToElement<JsonNode>(new JsonObject
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["facts"] = new JsonObject { ["type"] = "array", ["items"] = fact, ["maxItems"] = maxFacts },
        },
        ["required"] = new JsonArray("facts"),
        ["additionalProperties"] = false,
    });

    /// <summary>Facts as lines of <c>key: value</c>, which small models read better than JSON.</summary>
    private static string InWords(JsonElement facts)
    {
        var text = new StringBuilder();
        foreach (var fact in facts.EnumerateArray())
        {
            text.Append(text.Length == 0 ? "- " : "\n- ");
            text.Append(fact.ValueKind == JsonValueKind.Object
                ? string.Join(", ", fact.EnumerateObject().Select(p => $"{p.Name}: {p.Value}"))
                : fact.ToString());
        }

        return text.ToString();
    }
}
