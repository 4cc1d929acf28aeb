using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates;

/// <summary>A model's chat template: turns messages into the text that the model was trained on.</summary>
public interface IChatTemplate
{
    /// <summary>Whether the template lays out tools itself.</summary>
    bool KnowsTools { get; }

    /// <summary>Renders as Hugging Face's <c>apply_chat_template</c> does. Safe to call from any thread.</summary>
    /// <param name="input">The template's variables.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the messages, is broken, or needs more than its limits allow.
    /// </exception>
    string Render(ChatTemplateInput input);
}

/// <summary>What a chat template is rendered with.</summary>
/// <param name="Messages">Objects with <c>role</c>, <c>content</c>, and what else the format has.</param>
/// <param name="Tools">Function tools in OpenAI's format, or null.</param>
/// <param name="AddGenerationPrompt">Whether the text ends with the header of the assistant's next turn.</param>
/// <param name="Variables">Other variables that the template may read, or null.</param>
public sealed record ChatTemplateInput(
    JsonArray Messages, JsonArray? Tools = null, bool AddGenerationPrompt = true, JsonObject? Variables = null);
