using System.Text.Json;

namespace Orchestrator.Core.Agents;

/// <summary>Calls a team's tools where no agent does: to get the options of a decision, or to check a deliverable.</summary>
public interface IToolInvoker
{
    /// <summary>
    /// Calls a tool. The call and its result are in the journal when this returns; approvals and deadlines hold as
    /// they do for agents.
    /// </summary>
    /// <param name="tool">The tool, as <c>plugin-function</c>.</param>
    /// <param name="arguments">A JSON object with its arguments.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <returns>The outcome; a tool that throws gives a failed one.</returns>
    /// <exception cref="OrchestratorException">There is no such tool.</exception>
    Task<ToolResult> InvokeAsync(string tool, JsonElement arguments, CancellationToken cancellationToken = default);
}
