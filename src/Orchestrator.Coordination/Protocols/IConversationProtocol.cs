using Orchestrator.Coordination.Running;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Protocols;

/// <summary>Decides who speaks when, and when enough was said.</summary>
public interface IConversationProtocol
{
    /// <summary>Lets the members talk. It always ends, whatever they do.</summary>
    /// <param name="conversation">Who talks about what.</param>
    /// <param name="cancellationToken">Stops the conversation.</param>
    /// <returns>What was said and why it ended.</returns>
    Task<ConversationResult> RunAsync(Conversation conversation, CancellationToken cancellationToken = default);
}

/// <summary>Who talks about what.</summary>
public sealed record Conversation
{
    /// <summary>The members; one at least, names differ.</summary>
    public required IReadOnlyList<IAgent> Members { get; init; }

    /// <summary>What was said before.</summary>
    public required Transcript Transcript { get; init; }

    /// <summary>What is to be settled.</summary>
    public required string Question { get; init; }

    /// <summary>What each member is asked when it speaks, a line by name; the question where there is none.</summary>
    public IReadOnlyDictionary<string, string> Cues { get; init; } = new Dictionary<string, string>();

    /// <summary>The most rounds, at least 1; in a round each member may speak once.</summary>
    public int MaxRounds { get; init; } = 3;

    /// <summary>What all turns have in common; transcript and cue are filled in.</summary>
    public AgentTurn? Turn { get; init; }

    /// <summary>Asks the members.</summary>
    public required TurnTaker Turns { get; init; }

    /// <summary>Gets what is said.</summary>
    public required IRunJournal Journal { get; init; }

    /// <summary>Decides who speaks, where the protocol leaves it open.</summary>
    public required IChoiceScorer Scorer { get; init; }

    /// <summary>How much of a tool's result is put on the transcript, in characters.</summary>
    public int MaxToolResultCharacters { get; init; } = 800;
}

/// <summary>Why a conversation ended.</summary>
public enum ConversationEnd
{
    /// <summary>The question was held to be settled.</summary>
    Settled,

    /// <summary>All rounds were used.</summary>
    RoundLimit,

    /// <summary>The members only repeated what was said.</summary>
    Stalled,

    /// <summary>Nobody was able to speak.</summary>
    Failed,
}

/// <summary>What came of a conversation.</summary>
/// <param name="Transcript">What was said, before and in it.</param>
/// <param name="End">Why it ended.</param>
/// <param name="Rounds">The rounds that were begun.</param>
/// <param name="Turns">The turns that were answered.</param>
public sealed record ConversationResult(Transcript Transcript, ConversationEnd End, int Rounds, int Turns);
