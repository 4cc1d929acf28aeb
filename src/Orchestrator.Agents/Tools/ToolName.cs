using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Tools;

/// <summary>Tools are named <c>plugin-function</c> everywhere outside of Semantic Kernel.</summary>
internal static class ToolName
{
    public static string Of(KernelFunction function) =>
        string.IsNullOrEmpty(function.PluginName) ? function.Name : $"{function.PluginName}-{function.Name}";
}
