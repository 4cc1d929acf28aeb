using Orchestrator.Core.Agents;

namespace Orchestrator.Agents.Tools;

/// <summary>What the filters gather while an agent takes a turn; it flows with the turn's asynchronous calls.</summary>
internal sealed class ToolScope : IDisposable
{
    private static readonly AsyncLocal<ToolScope?> Ambient = new();
    private readonly List<ToolResult> _results = [];
    private int _calls;

    private ToolScope(string callIdPrefix) => CallIdPrefix = callIdPrefix;

    public static ToolScope? Current => Ambient.Value;

    public string CallIdPrefix { get; }

    /// <summary>Whether the model is not asked again after a tool call: the agent decides what comes next.</summary>
    public bool StopsAfterCalls { get; set; }

    /// <summary>What must end the turn, though it came up inside of a tool call, whose errors go to the model.</summary>
    public Exception? Fatal { get; set; }

    /// <summary>The calls of the turn so far, in order of their results; calls that tools make themselves are not among them.</summary>
    public IReadOnlyList<ToolResult> Results
    {
        get
        {
            lock (_results)
            {
                return [.. _results];
            }
        }
    }

    public static ToolScope Begin(string callIdPrefix = "call") => Ambient.Value = new ToolScope(callIdPrefix);

    public string NextCallId() => $"{CallIdPrefix}-{Interlocked.Increment(ref _calls)}";

    public void Add(ToolResult result)
    {
        lock (_results)
        {
            _results.Add(result);
        }
    }

    public void Dispose() => Ambient.Value = null;
}
