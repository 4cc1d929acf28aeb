using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// Asks agents for turns. Whatever an agent does, a turn ends: by an answer, by a failure that is recorded with its
/// cause, or at its deadline.
/// </summary>
public sealed class TurnTaker
{
    private readonly IRunJournal _journal;
    private readonly TimeProvider _clock;
    private readonly CoordinationOptions _options;

    /// <summary>Creates one for a run.</summary>
    /// <param name="journal">Gets the failures.</param>
    /// <param name="clock">Measures the deadline.</param>
    /// <param name="options">The deadline of a turn.</param>
    public TurnTaker(IRunJournal journal, TimeProvider clock, CoordinationOptions options)
    {
        ArgumentNullException.ThrowIfNull(journal);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(options);
        _journal = journal;
        _clock = clock;
        _options = options;
    }

    /// <summary>The run's seed; each turn's own is drawn from it.</summary>
    public ulong Seed { get; init; }

    /// <summary>Gets every piece of an answer as it is made, from the thread that makes it; may be null.</summary>
    public IProgress<TurnProgress>? Progress { get; init; }

    /// <summary>Called before each turn; throws where the run must not go on, and gives the most tokens of an answer.</summary>
    public Func<int>? TokensLeft { get; init; }

    /// <summary>Asks an agent for a turn.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="turn">What it is asked.</param>
    /// <param name="taskId">The task that the turn belongs to, or null.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <returns>The answer, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public async Task<TurnOutcome> TakeAsync(
        IAgent agent, AgentTurn turn, string? taskId = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(turn);
        cancellationToken.ThrowIfCancellationRequested();
        turn = turn with
        {
            Seed = SeedOf(agent.Card.Name, turn, taskId),
            MaxToolResultCharacters = _options.MaxToolResultCharacters,
            MaxTokens = Math.Min(turn.MaxTokens, TokensLeft?.Invoke() ?? int.MaxValue),
            Progress = Progress is null ? null : new Relay(Progress, agent.Card.Name, taskId),
        };

        using var deadline = new CancellationTokenSource(_options.TurnTimeout, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        string failure;
        try
        {
            // On another thread: an agent that blocks its caller must not block the run.
            var taking = Task.Run(() => agent.TakeTurnAsync(turn, linked.Token), CancellationToken.None);
            var reply = await AnswerAsync(taking, linked.Token).ConfigureAwait(false);
            if (reply is not null)
            {
                return new TurnOutcome(reply, null);
            }

            failure = "It gave no answer.";
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            failure = $"It did not answer within {_options.TurnTimeout.TotalSeconds:0.###} s.";
        }
        catch (Exception e)
        {
            failure = e.Message;
        }

        await _journal.AppendAsync(new RunFailed(failure, Fatal: false) { Agent = agent.Card.Name }, cancellationToken)
            .ConfigureAwait(false);
        return new TurnOutcome(null, failure);
    }

    /// <summary>Waits for an answer; after cancellation only for a moment, in which a well-behaved agent tidies up.</summary>
    private async Task<AgentReply?> AnswerAsync(Task<AgentReply> taking, CancellationToken cancellationToken)
    {
        try
        {
            return await taking.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!taking.IsCompleted)
        {
            try
            {
                await taking.WaitAsync(_options.CancellationGrace, _clock, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // It is abandoned, or ended as it was told to; either way there is no answer.
            }

            throw;
        }
    }

    /// <summary>FNV-1a over what tells a turn from all others, so that it does not matter which of two at once is first.</summary>
    private long SeedOf(string agent, AgentTurn turn, string? taskId)
    {
        var hash = 14695981039346656037 ^ Seed;
        void Mix(string text)
        {
            foreach (var c in text)
            {
                hash = (hash ^ c) * 1099511628211;
            }

            hash = (hash ^ 0xFFFF) * 1099511628211;
        }

        Mix(agent);
        Mix(taskId ?? "");
        Mix(turn.Cue);
        hash = (hash ^ (uint)turn.Transcript.Count) * 1099511628211;
        return (long)(hash & long.MaxValue);
    }

    private sealed class Relay(IProgress<TurnProgress> progress, string agent, string? taskId) : IProgress<string>
    {
        public void Report(string value) => progress.Report(new TurnProgress(agent, taskId, value));
    }
}

/// <summary>How a turn ended.</summary>
/// <param name="Reply">The answer, or null.</param>
/// <param name="Failure">Why there is none, or null.</param>
public sealed record TurnOutcome(AgentReply? Reply, string? Failure);

/// <summary>A piece of an answer that is being made.</summary>
/// <param name="Agent">Who is answering.</param>
/// <param name="TaskId">The task that the turn belongs to, or null.</param>
/// <param name="Text">The piece.</param>
public sealed record TurnProgress(string Agent, string? TaskId, string Text);
