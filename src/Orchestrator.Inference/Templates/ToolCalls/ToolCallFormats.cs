namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>Finds out how a model writes tool calls.</summary>
public static class ToolCallFormats
{
    /// <summary>The format that a model's template, or its special tokens, speak of; Hermes' where they say nothing.</summary>
    /// <param name="template">The template's source.</param>
    /// <param name="specials">The texts of the model's special tokens.</param>
    /// <returns>The format.</returns>
    public static IToolCallFormat For(string template, IReadOnlyList<string> specials)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(specials);
        bool Says(string text) => template.Contains(text, StringComparison.Ordinal);
        bool Knows(string text) => specials.Contains(text) || Says(text);
        return true switch
        {
            _ when Says("<|tool_call>call:") => new Gemma4ToolCallFormat(resultsWithCalls: Says("tool_responses") && !Says("tool_call_id")),
            _ when Says("<tool_call>") && Says("<function=") && Says("<parameter=") => new Qwen3CoderToolCallFormat(),
            _ when Says("<tool_call>") => new HermesToolCallFormat(),
            _ when Says("<|channel|>") && Says("<|message|>") => new HarmonyToolCallFormat(),
            _ when Says("[TOOL_CALLS]") => new MistralToolCallFormat(Says("[ARGS]")),
            _ when Knows("<|tool_call|>") && Knows("<|/tool_call|>") => new PhiToolCallFormat(),
            _ when Knows("<|python_tag|>") || (Says("<|start_header_id|>") && Says("\"parameters\"")) => new JsonToolCallFormat(),
            _ when Says("<start_of_turn>") => new JsonToolCallFormat(),
            _ => new HermesToolCallFormat(),
        };
    }
}
