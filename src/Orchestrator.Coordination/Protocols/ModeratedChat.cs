using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Protocols;

/// <summary>
/// A group chat whose next speaker is decided by likelihood: that of the question and the last messages given each
/// candidate's role card. "Nobody, it is settled" is one of the candidates, so stopping is decided in the same way.
/// </summary>
public sealed class ModeratedChat : GroupChat
{
    private const string Settled = "nobody";
    private const int LastMessages = 3;
    private readonly int _maxEvidenceCharacters;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _clock;

    /// <summary>Creates the protocol.</summary>
    /// <param name="options">How much of the conversation a decision weighs, and how long it may take.</param>
    /// <param name="clock">Measures how long.</param>
    public ModeratedChat(CoordinationOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        _maxEvidenceCharacters = options.MaxEvidenceCharacters;
        _patience = options.TurnTimeout;
        _clock = clock;
    }

    /// <inheritdoc/>
    protected override async ValueTask<IAgent?> ChooseAsync(
        Conversation conversation,
        Transcript transcript,
        IReadOnlyList<IAgent> candidates,
        bool mayEnd,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(transcript);
        ArgumentNullException.ThrowIfNull(candidates);
        if (candidates.Count == 1 && !mayEnd)
        {
            return candidates[0];
        }

        try
        {
            var result = await conversation.Scorer
                .ScoreAsync(Question(conversation, transcript, candidates, mayEnd), cancellationToken)
                .WaitAsync(_patience, _clock, cancellationToken)
                .ConfigureAwait(false);
            var best = result.Best.Choice.Name;
            return candidates.FirstOrDefault(c => c.Card.Name == best) ?? (mayEnd ? null : candidates[0]);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Without a decision the talk goes on in order; it is bounded all the same.
            await conversation.Journal.AppendAsync(
                new RunFailed($"The next speaker could not be decided: {e.Message}", Fatal: false), cancellationToken)
                .ConfigureAwait(false);
            return candidates[0];
        }
    }

    private ChoiceQuestion Question(
        Conversation conversation, Transcript transcript, IReadOnlyList<IAgent> candidates, bool mayEnd)
    {
        var options = candidates.Select(c => new Choice(c.Card.Name, $"{c.Card.Role}. {c.Card.Description}")).ToList();
        if (mayEnd)
        {
            // A member may have this name; then the chat ends by its bounds only.
            if (!options.Exists(o => o.Name == Settled))
            {
                options.Add(new Choice(Settled, "Everything is said. All agree, the question is settled, and nothing is left to do."));
            }
        }

        var last = transcript.Last(LastMessages).Select(m => $"{m.From}: {m.Text}");
        return new ChoiceQuestion
        {
            Evidence = TurnRecord.CutStart(
                $"{conversation.Question}\n{string.Join('\n', last)}", _maxEvidenceCharacters),
            Options = options,
            ChannelTemplate = "{name}: {description}\nA discussion in which {name} should speak next: ",
            DirectCue = "\nNext speaker: ",
            Request = conversation.Turn?.Request ?? new ModelRequest(),
        };
    }
}
