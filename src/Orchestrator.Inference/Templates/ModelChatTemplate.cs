using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates;

/// <summary>The template that a model's file carries, with the texts of its own begin and end tokens.</summary>
public sealed class ModelChatTemplate : IChatTemplate
{
    // What a model without a template most likely understands.
    private const string ChatMl =
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private readonly ChatTemplate _template;
    private readonly string _begin;
    private readonly string _end;

    /// <summary>Parses a template.</summary>
    /// <param name="source">The template, or null for ChatML.</param>
    /// <param name="begin">The text of the token that begins a text; empty where there is none.</param>
    /// <param name="end">The text of the token that ends an answer; empty where there is none.</param>
    /// <param name="time">The clock that a template may ask for.</param>
    /// <exception cref="ChatTemplateException">It is not valid Jinja; the error names line and column.</exception>
    public ModelChatTemplate(string? source, string begin, string end, TimeProvider time)
    {
        _template = ChatTemplate.Parse(source ?? ChatMl, time: time);
        _begin = begin;
        _end = end;
        KnowsTools = _template.Source.Contains("tools", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public bool KnowsTools { get; }

    /// <inheritdoc/>
    public string Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var variables = new JsonObject();
        foreach (var (name, value) in input.Variables ?? [])
        {
            variables[name] = value?.DeepClone();
        }

        variables["messages"] = Detached(input.Messages);
        variables["tools"] = input.Tools is { } tools ? Detached(tools) : null;
        variables["add_generation_prompt"] = input.AddGenerationPrompt;
        variables["bos_token"] = _begin;
        variables["eos_token"] = _end;
        return _template.Render(variables);
    }

    private static JsonNode Detached(JsonArray array) => array.Parent is null ? array : array.DeepClone();
}
