using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core;
using Orchestrator.Core.Agents;

namespace Orchestrator.Agents.Tools;

/// <summary>Calls the functions of a kernel by their tool names.</summary>
internal sealed class KernelToolInvoker(Kernel kernel) : IToolInvoker
{
    private readonly Dictionary<string, KernelTool> _tools = kernel.Plugins
        .SelectMany(p => p)
        .Select(f => new KernelTool(f, kernel))
        .ToDictionary(t => t.Name, StringComparer.Ordinal);

    private int _calls;

    public async Task<ToolResult> InvokeAsync(
        string tool, JsonElement arguments, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tool);
        if (!_tools.TryGetValue(tool, out var function))
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                Spelling.Sentence($"The team has no tool '{tool}'{Spelling.Hint(tool, _tools.Keys)}"),
                "Correct the name in the team's file; `orchestrator plugin show NAME` shows the functions of a plugin.");
        }

        using var scope = ToolScope.Begin($"team-{Interlocked.Increment(ref _calls)}");
        var values = arguments.ValueKind == JsonValueKind.Object
            ? arguments.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value)
            : [];
        await function.InvokeAsync(new AIFunctionArguments(values), cancellationToken).ConfigureAwait(false);
        return scope.Results[^1];
    }
}
