namespace Orchestrator.Agents.Tools;

/// <summary>One call of a tool while it goes on, as the filters around it see it.</summary>
internal sealed class ToolCall : IDisposable
{
    private static readonly AsyncLocal<ToolCall?> Ambient = new();
    private readonly CancellationTokenSource _cancellation;
    private readonly ToolCall? _parent;
    private bool _claimed;
    private int _children;

    private ToolCall(string id, ToolCall? parent, CancellationToken callerToken)
    {
        Id = id;
        _parent = parent;
        CallerToken = callerToken;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(callerToken);
    }

    public static ToolCall? Current => Ambient.Value;

    public string Id { get; }

    public bool IsNested => _parent is not null;

    /// <summary>Cancelled when the caller gives up.</summary>
    public CancellationToken CallerToken { get; }

    /// <summary>What the function listens to: cancelled when the caller gives up, or when the call is abandoned.</summary>
    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Begins a call; one made by a tool is numbered under that tool's.</summary>
    public static ToolCall Enter(string id, CancellationToken callerToken)
    {
        var parent = Current;
        return Ambient.Value = new ToolCall(
            parent is null ? id : $"{parent.Id}.{Interlocked.Increment(ref parent._children)}", parent, callerToken);
    }

    /// <summary>
    /// The call that the filters are around now: the one just begun, or a new one under it where a tool invokes
    /// another function of the kernel by itself.
    /// </summary>
    public static ToolCall Claim(string id, CancellationToken callerToken)
    {
        var call = Current is { _claimed: false } begun ? begun : Enter(id, callerToken);
        call._claimed = true;
        return call;
    }

    /// <summary>Asks the function to stop; it may not listen.</summary>
    public void Abandon() => _cancellation.Cancel();

    public void Dispose()
    {
        Ambient.Value = _parent;
        _cancellation.Dispose();
    }
}
