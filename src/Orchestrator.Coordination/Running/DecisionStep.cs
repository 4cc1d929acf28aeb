using System.Text.Json;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Coordination.Voting;
using Orchestrator.Core;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>Lets the members vote by likelihood on what they talked about.</summary>
internal sealed class DecisionStep(RunScope run)
{
    internal async Task RunAsync(DecisionDefinition decision, CancellationToken cancellationToken)
    {
        var options = await OptionsAsync(decision, cancellationToken).ConfigureAwait(false);
        var vote = new VoteQuestion
        {
            Question = decision.Question,
            Options = [.. options.Select(o => new Choice(o.Name, o.Description))],
            LogPriors = [.. options.Select(o => o.LogPrior)],
            Voters = [.. run.Members.Agents.Select(a => (a.Card.Name, Evidence(decision, a.Card.Name)))],
            Rule = decision.Rule == "plurality" ? VotingRule.Plurality : VotingRule.Pooled,
            Weight = decision.Weight,
            PerToken = decision.PerToken,
            MaxShift = decision.MaxShift,
            Request = new ModelRequest { RunId = run.Journal.RunId },
        };
        run.Decision = await Vote.HoldAsync(run.Scorer, vote, cancellationToken).ConfigureAwait(false);
        await run.Journal.AppendAsync(
            new DecisionMade(decision.Question, decision.Rule, run.Decision.Winner, run.Decision.Margin, run.Decision.Shares),
            cancellationToken).ConfigureAwait(false);
        await run.PostAsync(
            new TeamMessage("vote", $"{decision.Question} {run.Decision.Winner}", Performative.Agree), null, null, cancellationToken)
            .ConfigureAwait(false);
        run.Result = $"{decision.Question} {run.Decision.Winner}";
    }

    private async Task<IReadOnlyList<OptionDefinition>> OptionsAsync(
        DecisionDefinition decision, CancellationToken cancellationToken)
    {
        if (decision.OptionsFrom is not { } tool)
        {
            return Checked(decision.Options, "The decision of the team's file");
        }

        var result = await run.Tools
            .InvokeAsync(tool, JsonSerializer.SerializeToElement(decision.Arguments), cancellationToken).ConfigureAwait(false);
        if (result.Failed)
        {
            throw new OrchestratorException(
                ErrorKind.Run,
                $"The options of the decision could not be had from '{tool}': {result.Result}",
                "Mend the plugin, or write the options under protocol.decision in the team's file.");
        }

        return Checked(Read(tool, result.Result), $"The answer of '{tool}'");
    }

    private static IReadOnlyList<OptionDefinition> Checked(IReadOnlyList<OptionDefinition> options, string source)
    {
        if (options.Count == 0 || options.DistinctBy(o => o.Name, StringComparer.Ordinal).Count() < options.Count)
        {
            throw new OrchestratorException(
                ErrorKind.Run,
                $"{source} has {(options.Count == 0 ? "no options" : "two options of one name")}.",
                "Give each option a name of its own; one option at least.");
        }

        return options;
    }

    private static OptionDefinition[] Read(string tool, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return [.. document.RootElement.EnumerateArray().Select(o => new OptionDefinition
            {
                Name = o.GetProperty("name").GetString() ?? throw new JsonException("A name is null."),
                Description = o.TryGetProperty("description", out var description) ? description.GetString() : null,
                LogPrior = o.TryGetProperty("logPrior", out var prior) ? prior.GetDouble() : 0,
            })];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new OrchestratorException(
                ErrorKind.Run,
                $"'{tool}' gave no options: {e.Message}",
                "It should give a JSON array of objects with name, and where known description and logPrior.",
                e);
        }
    }

    /// <summary>What a member found and said itself, or what was said last where it said nothing.</summary>
    private string Evidence(DecisionDefinition decision, string voter)
    {
        var all = run.Transcript.Messages;
        var own = decision.Evidence == "own" ? all.Where(m => m.From == voter).ToArray() : [];
        var text = string.Join('\n', (own.Length > 0 ? own : all).Select(m => $"{m.From}: {m.Text}"));
        return TurnRecord.CutStart(text.Length > 0 ? text : run.Run.Task, run.Options.MaxEvidenceCharacters);
    }
}
