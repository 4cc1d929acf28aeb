using System.Text.Json;
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

    /// <summary>
    /// The earlier outcome of the very same call, where the agent decides between calls; null otherwise. An agent that calls
    /// freely may have done something in between that changes what a tool gives.
    /// </summary>
    public ToolResult? Repeated(string tool, JsonElement arguments) => StopsAfterCalls && ToolCall.Current is not { IsNested: true }
        ? Results.FirstOrDefault(r => r.Tool == tool && JsonElement.DeepEquals(r.Arguments, arguments))
        : null;

    public void Add(ToolResult result)
    {
        lock (_results)
        {
            _results.Add(result);
        }
    }

    public void Dispose() => Ambient.Value = null;
}
