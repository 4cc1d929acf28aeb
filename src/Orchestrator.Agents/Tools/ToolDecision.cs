using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;

namespace Orchestrator.Agents.Tools;

/// <summary>
/// Decides by likelihood what an agent does next in its turn: call one of its tools, or answer. The evidence is what
/// it is asked; the options are the tools' descriptions and one for answering. Nothing stands before the options, so
/// their KV cache is the same for all turns of all agents, and a decision costs the evidence's tokens for each option.
/// </summary>
internal sealed class ToolDecision(AgentTurn turn, ModelRequest request, IReadOnlyList<AITool> tools)
{
    /// <summary>The tool to call, or null to answer.</summary>
    public async Task<string?> NextAsync(
        IChoiceScorer scorer, IReadOnlyList<ToolResult> results, CancellationToken cancellationToken)
    {
        var open = tools.Where(t => !IsSpent(t, results)).Select(t => new Choice(t.Name, t.Description)).ToArray();
        if (open.Length == 0)
        {
            return null;
        }

        var calls = Array.ConvertAll(open, tool => results.Count(r => r.Tool == tool.Name));
        var question = ToolQuestions.WhichOrAnswer(turn.Cue, open, calls, request);
        var best = (await scorer.ScoreAsync(question, cancellationToken).ConfigureAwait(false)).Best.Choice.Name;
        return best == ToolQuestions.Answer ? null : best;
    }

    /// <summary>Whether a tool was called in this turn and takes no arguments: another call would be the same call.</summary>
    private static bool IsSpent(AITool tool, IReadOnlyList<ToolResult> results) =>
        results.Any(r => r.Tool == tool.Name)
        && tool is AIFunctionDeclaration { JsonSchema: { ValueKind: JsonValueKind.Object } schema }
        && !(schema.TryGetProperty("properties", out var properties) && properties.EnumerateObject().Any());
}
