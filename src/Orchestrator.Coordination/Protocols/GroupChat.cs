using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Protocols;

/// <summary>
/// What group chats have in common, and why they end: there are at most as many rounds as allowed, in a round the set
/// of those who may still speak gets smaller with every turn, and a turn ends at its deadline.
/// </summary>
public abstract class GroupChat : IConversationProtocol
{
    /// <summary>After how many turns in a row without anything new the chat has stalled.</summary>
    private const int StalledTurns = 2;

    /// <summary>After how many failed turns a member is not asked any more.</summary>
    private const int MaxFailures = 2;

    /// <inheritdoc/>
    public async Task<ConversationResult> RunAsync(Conversation conversation, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentOutOfRangeException.ThrowIfZero(conversation.Members.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(conversation.MaxRounds, 1);
        var floor = new Floor(conversation);
        for (var round = 1; round <= conversation.MaxRounds; round++)
        {
            await conversation.Journal.AppendAsync(new RoundStarted(round, conversation.MaxRounds), cancellationToken)
                .ConfigureAwait(false);
            if (await RunRoundAsync(floor, cancellationToken).ConfigureAwait(false) is { } end)
            {
                return floor.Result(end, round);
            }
        }

        return floor.Result(ConversationEnd.RoundLimit, conversation.MaxRounds);
    }

    /// <summary>Chooses who speaks next.</summary>
    /// <param name="conversation">The conversation.</param>
    /// <param name="transcript">What was said so far.</param>
    /// <param name="candidates">Who may speak; one at least.</param>
    /// <param name="mayEnd">Whether the chat may be held to be settled now.</param>
    /// <param name="cancellationToken">Stops the choice.</param>
    /// <returns>One of the candidates, or null where the question is settled.</returns>
    protected abstract ValueTask<IAgent?> ChooseAsync(
        Conversation conversation,
        Transcript transcript,
        IReadOnlyList<IAgent> candidates,
        bool mayEnd,
        CancellationToken cancellationToken);

    private async Task<ConversationEnd?> RunRoundAsync(Floor floor, CancellationToken cancellationToken)
    {
        floor.BeginRound();
        while (floor.Candidates() is { Count: > 0 } candidates)
        {
            var speaker = await ChooseAsync(
                floor.Conversation, floor.Transcript, candidates, floor.MayEnd, cancellationToken).ConfigureAwait(false);
            if (speaker is null && floor.MayEnd)
            {
                return ConversationEnd.Settled;
            }

            if (await floor.SpeakAsync(speaker ?? candidates[0], cancellationToken).ConfigureAwait(false))
            {
                return ConversationEnd.Stalled;
            }
        }

        return floor.Silent ? ConversationEnd.Failed : null;
    }

    /// <summary>Who has spoken, who may, and what was said.</summary>
    private sealed class Floor(Conversation conversation)
    {
        private readonly Novelty _novelty = new();
        private readonly HashSet<IAgent> _spoken = [];
        private readonly HashSet<IAgent> _heard = [];
        private readonly Dictionary<IAgent, int> _failures = [];
        private readonly AgentTurn _turn = conversation.Turn ?? new AgentTurn { Transcript = conversation.Transcript, Cue = "" };
        private IAgent? _last;
        private int _repeated;
        private int _turns;

        internal Conversation Conversation => conversation;

        internal Transcript Transcript { get; private set; } = conversation.Transcript;

        /// <summary>Whether nobody said anything in this round.</summary>
        internal bool Silent { get; private set; }

        /// <summary>A question is not settled before two have spoken to it.</summary>
        internal bool MayEnd => _heard.Count >= Math.Min(2, conversation.Members.Count);

        internal void BeginRound()
        {
            _spoken.Clear();
            Silent = true;
        }

        internal IReadOnlyList<IAgent> Candidates()
        {
            var able = conversation.Members.Where(m => _failures.GetValueOrDefault(m) < MaxFailures).ToList();
            var alone = able.Count == 1;
            return able.FindAll(m => !_spoken.Contains(m) && (alone || m != _last));
        }

        /// <summary>Gives a member the word.</summary>
        /// <returns>Whether the chat has stalled by it.</returns>
        internal async Task<bool> SpeakAsync(IAgent speaker, CancellationToken cancellationToken)
        {
            _spoken.Add(speaker);
            var cue = conversation.Cues.GetValueOrDefault(speaker.Card.Name, conversation.Question);
            var outcome = await conversation.Turns.TakeAsync(
                speaker, _turn with { Transcript = Transcript, Cue = cue }, null, cancellationToken).ConfigureAwait(false);
            if (outcome.Reply is not { } reply)
            {
                _failures[speaker] = _failures.GetValueOrDefault(speaker) + 1;
                return false;
            }

            Transcript = await TurnRecord.PostAsync(
                conversation.Journal,
                Transcript,
                speaker.Card.Name,
                cue,
                reply,
                conversation.MaxToolResultCharacters,
                cancellationToken).ConfigureAwait(false);
            Silent = false;
            _last = speaker;
            _turns++;
            _heard.Add(speaker);
            _repeated = _novelty.IsRepetition(reply.Text) ? _repeated + 1 : 0;
            return _repeated >= StalledTurns;
        }

        internal ConversationResult Result(ConversationEnd end, int rounds) => new(Transcript, end, rounds, _turns);
    }
}
