using Orchestrator.Core;

namespace Orchestrator.Agents.Tools;

/// <summary>A function did not return by its deadline. It was abandoned; it may still be running.</summary>
/// <param name="tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="deadline">How long it had.</param>
public sealed class ToolDeadlineException(string tool, TimeSpan deadline) : OrchestratorException(
    ErrorKind.Run,
    $"The tool '{tool}' did not return within {deadline.TotalSeconds:0.###} s and was abandoned.",
    "Give it a longer deadline in its plugin.yaml, or mend it.");

/// <summary>A side effect was not approved.</summary>
/// <param name="tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="reason">Why.</param>
public sealed class ToolDeniedException(string tool, string reason) : OrchestratorException(
    ErrorKind.Run,
    $"The call of '{tool}' was denied: {reason}.",
    $"Allow it with the setting Orchestrator:Agents:Approvals:{tool} = always.");
