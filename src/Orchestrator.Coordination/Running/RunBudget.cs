using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// A run's journal that counts what is used. A tool call beyond the budget is refused before it is made; tokens and
/// time beyond it stop what is going on, and are checked before each turn.
/// </summary>
internal sealed class RunBudget : IRunJournal
{
    private readonly IRunJournal _inner;
    private readonly BudgetDefinition _budget;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly Lock _lock = new();
    private readonly RunMeter _meter = new();
    private readonly CancellationTokenSource _spent = new();
    private readonly ITimer _timer;
    private string? _reason;
    private bool _closed;

    internal RunBudget(IRunJournal inner, BudgetDefinition budget, TimeProvider clock)
    {
        _inner = inner;
        _budget = budget;
        _clock = clock;
        _started = clock.GetTimestamp();
        _timer = clock.CreateTimer(
            _ => End($"the time of {budget.MaxDuration} is over"), null, budget.MaxDuration, Timeout.InfiniteTimeSpan);
    }

    public string RunId => _inner.RunId;

    /// <summary>Cancelled when the budget is spent.</summary>
    internal CancellationToken Spent => _spent.Token;

    /// <summary>What was spent, or null while there is some left.</summary>
    internal string? Reason
    {
        get
        {
            lock (_lock)
            {
                return _reason;
            }
        }
    }

    internal RunUsage Usage
    {
        get
        {
            lock (_lock)
            {
                return _meter.Total(_clock.GetElapsedTime(_started));
            }
        }
    }

    /// <summary>The most tokens that the next answer may have.</summary>
    /// <exception cref="OperationCanceledException">The budget is spent.</exception>
    internal int TokensForTurn()
    {
        lock (_lock)
        {
            Spent.ThrowIfCancellationRequested();
            var left = _budget.MaxTokens - _meter.Tokens;
            return (int)Math.Clamp(left, 1, _budget.MaxTokensPerTurn);
        }
    }

    public async ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default)
    {
        string? spent = null;
        lock (_lock)
        {
            if (_closed)
            {
                throw new OperationCanceledException("The run has ended.");
            }

            _closed = runEvent is RunFinished;
            if (runEvent is ToolCalled && _meter.ToolCalls >= _budget.MaxToolCalls)
            {
                spent = $"all {_budget.MaxToolCalls} tool calls are used";
            }
            else
            {
                _meter.Add(runEvent);
            }
        }

        if (spent is not null)
        {
            End(spent);
            throw new OperationCanceledException(spent, Spent);
        }

        var recorded = await _inner.AppendAsync(runEvent, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            spent = _meter.Tokens >= _budget.MaxTokens ? $"all {_budget.MaxTokens} tokens are used" : null;
        }

        if (spent is not null)
        {
            End(spent);
        }

        return recorded;
    }

    /// <summary>Ends the counting; the journal below belongs to the caller.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _closed = true;
        }

        _spent.Dispose();
    }

    private void End(string reason)
    {
        lock (_lock)
        {
            if (_closed || _reason is not null)
            {
                return;
            }

            _reason = reason;
        }

        // Not here: what waits on it must not run inside an append.
        _ = _spent.CancelAsync();
    }
}
