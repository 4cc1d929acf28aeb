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
    /// <summary>The option of calling nothing.</summary>
    public const string Answer = "answer";

    private const string AnswerDescription = "Answers at once from what is already known, without looking anything up.";
    private const string Channel = "Function {name}: {description}\nA request that it answers: ";

    private readonly Choice[] _options =
    [
        .. tools.Select(t => new Choice(t.Name, t.Description)),
        new Choice(Answer, AnswerDescription),
    ];

    /// <summary>The tool to call, or null to answer.</summary>
    public async Task<string?> NextAsync(
        IChoiceScorer scorer, IReadOnlyList<ToolResult> results, CancellationToken cancellationToken)
    {
        var question = new ChoiceQuestion
        {
            Evidence = turn.Cue,
            Options = _options,
            ChannelTemplate = Channel,
            DirectCue = "\nFunction: ",
            LogPriors = Priors(results),
            Request = request,
        };
        var best = (await scorer.ScoreAsync(question, cancellationToken).ConfigureAwait(false)).Best.Choice.Name;
        return best == Answer ? null : best;
    }

    /// <summary>Whether the last call is one that was made before in this turn: it would be made for ever.</summary>
    public static bool Repeats(IReadOnlyList<ToolResult> results) =>
        results.Count > 1
        && results.SkipLast(1).Any(r => r.Tool == results[^1].Tool
            && r.Arguments.GetRawText() == results[^1].Arguments.GetRawText());

    /// <summary>
    /// The evidence stays the same from round to round, so without a prior the same tool would be chosen in each:
    /// every call so far makes answering likelier, and the same tool less likely, by a factor of two.
    /// </summary>
    private double[] Priors(IReadOnlyList<ToolResult> results) =>
        [.. _options.Select(o => o.Name == Answer
            ? results.Count * Math.Log(2)
            : -results.Count(r => r.Tool == o.Name) * Math.Log(2))];
}
