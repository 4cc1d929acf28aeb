namespace Orchestrator.Coordination.Running;

/// <summary>Lets a person stop the turns that are being taken while the run goes on. Safe to use from any thread.</summary>
public sealed class RunControl : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _turns = new();
    private bool _disposed;

    internal CancellationToken TurnToken
    {
        get
        {
            lock (_lock)
            {
                return _turns.Token;
            }
        }
    }

    /// <summary>Stops the turns that are being taken; they count as failed.</summary>
    public void StopTurns()
    {
        CancellationTokenSource stopped;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            (stopped, _turns) = (_turns, new CancellationTokenSource());
        }

        stopped.Cancel();
        stopped.Dispose();
    }

    /// <summary>Ends it; the run goes on.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _turns.Dispose();
        }
    }
}
