using Orchestrator.Core.Agents;

namespace Orchestrator.Coordination;

/// <summary>How the team's vocabulary looks to prompt templates.</summary>
internal static class PromptVariables
{
    internal static Dictionary<string, object?> Of(AgentCard card) => new()
    {
        ["name"] = card.Name,
        ["role"] = card.Role,
        ["description"] = card.Description,
        ["capabilities"] = card.Capabilities,
        ["tools"] = card.Tools,
    };
}
