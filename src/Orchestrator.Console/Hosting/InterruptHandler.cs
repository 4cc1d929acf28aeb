using System.Runtime.InteropServices;

namespace Orchestrator.Console.Hosting;

/// <summary>
/// Ctrl-C as people expect it: the first stops what is under way and keeps what is done (a run ends in its log), the second
/// exits. Within a turn (an answer in a conversation) it stops the turn only.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001:Types that own disposable fields should be disposable", Justification = "It lives as long as the process.")]
internal sealed class InterruptHandler
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private CancellationTokenSource? _turn;

    private InterruptHandler()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
        ];
    }

    /// <summary>The process has one: signals are the process's.</summary>
    public static InterruptHandler Instance { get; } = new();

    public CancellationToken Token => _source.Token;

    /// <summary>Begins a turn that can be stopped by itself; disposing the source ends it.</summary>
    public CancellationTokenSource BeginTurn(CancellationToken cancellationToken)
    {
        var turn = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Volatile.Write(ref _turn, turn);
        return turn;
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && TryStopTurn())
        {
            return;
        }

        if (_source.IsCancellationRequested)
        {
            Environment.Exit(ExitCodes.Interrupted);
        }

        _source.Cancel();
    }

    private bool TryStopTurn()
    {
        try
        {
            if (Interlocked.Exchange(ref _turn, null) is not { IsCancellationRequested: false } turn)
            {
                return false;
            }

            turn.Cancel();
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
