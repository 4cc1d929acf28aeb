namespace Orchestrator.Core.Agents;

/// <summary>
/// What everybody in a team may know of an agent. It stands in the shared preamble, the same for all viewers.
/// </summary>
/// <param name="Name">Short and unique in the team; letters, digits, '-' and '_'.</param>
/// <param name="Role">What it is, in a few words.</param>
/// <param name="Description">What it knows and does; allocation weighs tasks against it.</param>
/// <param name="Capabilities">Words that a plan may ask for; empty means that it takes any task.</param>
/// <param name="Tools">The tools that it may call, as <c>plugin-function</c>.</param>
public sealed record AgentCard(
    string Name,
    string Role,
    string Description,
    IReadOnlyList<string> Capabilities,
    IReadOnlyList<string> Tools);
