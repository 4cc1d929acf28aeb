using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Models;

namespace Orchestrator.Agents;

/// <summary>How an <see cref="Agent"/> works.</summary>
public sealed record AgentSettings
{
    /// <summary>The union of the team's tools, in the order in which every member's prompt lists them.</summary>
    public IReadOnlyList<AITool> TeamTools { get; init; } = [];

    /// <summary>The adapters of its calls; null leaves those of the turn.</summary>
    public IReadOnlyList<AdapterUse>? Adapters { get; init; }

    /// <summary>Sampling temperature, 0 to 2; null for the model's own.</summary>
    public float? Temperature { get; init; }

    /// <summary>How it decides to call a tool.</summary>
    public ToolChoice ToolChoice { get; init; }

    /// <summary>What it is told before each of its turns, besides the turn's own notes; null for nothing.</summary>
    public Func<CancellationToken, Task<string>>? Notes { get; init; }

    /// <summary>Where tool calls are logged, or null.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
