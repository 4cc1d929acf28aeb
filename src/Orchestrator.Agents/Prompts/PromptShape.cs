using Orchestrator.Agents.Definitions;

namespace Orchestrator.Agents.Prompts;

/// <summary>What a prompt file may hold: Semantic Kernel's YAML schema for prompts.</summary>
internal static class PromptShape
{
    public static ObjectShape File { get; } = new(
        "prompt",
        new("name", TextShape.Name, "The prompt's name; the file's name without .yaml where it is left out."),
        new("description", TextShape.Any, "What the prompt is for, in a sentence."),
        new("template", TextShape.Any, "The text, with variables in the syntax of the template format.", Required: true),
        new("template_format", TextShape.Choice([.. PromptFormats.All]), "The syntax of the template.") { Default = PromptFormats.SemanticKernel },
        new("input_variables", new ListShape(Variable), "The variables that the template may use."),
        new(
            "output_variable",
            new ObjectShape(
                "output variable",
                new("description", TextShape.Any, "What the answer is."),
                new("json_schema", new AnythingShape(), "The JSON schema of the answer.")),
            "What the model gives."),
        new(
            "execution_settings",
            new MapShape(new AnythingShape()),
            "Settings of the model call (temperature, top_p, max_tokens, seed, …) by service; 'default' holds for any."),
        new("allow_dangerously_set_content", new FlagShape(), "Lets values write chat messages; only for values that no tool, file or person can influence.") { Default = false });

    private static ObjectShape Variable => new(
        "input variable",
        new("name", new TextShape("^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and '_'"), "The variable's name.", Required: true),
        new("description", TextShape.Any, "What the variable holds."),
        new("default", new AnythingShape(), "Its value where none is given."),
        new("is_required", new FlagShape(), "Whether a value must be given.") { Default = true },
        new("json_schema", new AnythingShape(), "The JSON schema of its value."),
        new("allow_dangerously_set_content", new FlagShape(), "Lets this value write chat messages.") { Default = false },
        new("sample", new AnythingShape(), "An example of a value."));
}
