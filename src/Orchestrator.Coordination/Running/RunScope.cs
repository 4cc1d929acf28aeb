using Orchestrator.Coordination.Voting;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>A run in progress: what its steps work with and what they have made so far.</summary>
internal sealed class RunScope
{
    internal required TeamRun Run { get; init; }

    internal required TeamMembers Members { get; init; }

    internal required IRunJournal Journal { get; init; }

    internal required IPromptRenderer Prompts { get; init; }

    internal required TurnTaker Turns { get; init; }

    internal required IChoiceScorer Scorer { get; init; }

    internal required CoordinationOptions Options { get; init; }

    internal required TimeProvider Clock { get; init; }

    internal TeamDefinition Team => Run.Team;

    /// <summary>What all members see.</summary>
    internal required Transcript Transcript { get; set; }

    internal Plan? Plan { get; set; }

    internal IReadOnlyList<Assignment> Assignments { get; set; } = [];

    internal List<TaskOutcome> Outcomes { get; } = [];

    internal VoteResult? Decision { get; set; }

    internal string? Deliverable { get; set; }

    /// <summary>The deliverable's text, or the last thing said.</summary>
    internal string Result { get; set; } = "";

    internal IAgent Agent(string name) => Members.Agents.First(a => a.Card.Name == name);

    internal IToolInvoker Tools => Members.Tools
        ?? throw new OrchestratorException(ErrorKind.Configuration, $"Team '{Team.Name}' names a tool, and has none.", "Give TeamMembers the agents' tools.");

    internal AgentTurn Turn(string cue, Transcript transcript) => new()
    {
        Transcript = transcript,
        Cue = cue,
        MaxTokens = Team.Budget.MaxTokensPerTurn,
        Request = new ModelRequest { RunId = Journal.RunId },
    };

    /// <summary>Adds something said without a cue, on the transcript and in the journal.</summary>
    internal async Task PostAsync(TeamMessage message, string? taskId, string? agent, CancellationToken cancellationToken)
    {
        Transcript = Transcript.Add(message);
        await Journal.AppendAsync(new MessagePosted(message, null, taskId) { Agent = agent }, cancellationToken)
            .ConfigureAwait(false);
    }
}
