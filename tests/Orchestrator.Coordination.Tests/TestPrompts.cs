using Orchestrator.Agents.Prompts;

namespace Orchestrator.Coordination.Tests;

internal static class TestPrompts
{
    /// <summary>The prompts of the repository's folder <c>prompts/</c>.</summary>
    internal static PromptLibrary Shipped() => new([Path.Combine(AppContext.BaseDirectory, "prompts")]);
}
