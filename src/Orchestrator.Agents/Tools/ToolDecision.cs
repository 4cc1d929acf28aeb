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
    private readonly Choice[] _tools = [.. tools.Select(t => new Choice(t.Name, t.Description))];

    /// <summary>The tool to call, or null to answer.</summary>
    public async Task<string?> NextAsync(
        IChoiceScorer scorer, IReadOnlyList<ToolResult> results, CancellationToken cancellationToken)
    {
        var calls = Array.ConvertAll(_tools, tool => results.Count(r => r.Tool == tool.Name));
        var question = ToolQuestions.WhichOrAnswer(turn.Cue, _tools, calls, request);
        var best = (await scorer.ScoreAsync(question, cancellationToken).ConfigureAwait(false)).Best.Choice.Name;
        return best == ToolQuestions.Answer ? null : best;
    }

    /// <summary>Whether the last call is one that was made before in this turn: it would be made for ever.</summary>
    public static bool Repeats(IReadOnlyList<ToolResult> results) =>
        results.Count > 1
        && results.SkipLast(1).Any(r => r.Tool == results[^1].Tool
            && r.Arguments.GetRawText() == results[^1].Arguments.GetRawText());
}
