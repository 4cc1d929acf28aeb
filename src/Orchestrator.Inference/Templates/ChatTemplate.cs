using System.Text.Json.Nodes;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Templates.Jinja;

namespace Orchestrator.Inference.Templates;

/// <summary>
/// A model's chat template: Jinja as Hugging Face's <c>apply_chat_template</c> runs it (Jinja 3.1, the immutable
/// sandbox, trim_blocks, lstrip_blocks, loop controls, <c>raise_exception</c>, <c>strftime_now</c>, its own
/// <c>tojson</c>, <c>generation</c> blocks). Parsed once; any number of threads may render it at the same time.
/// </summary>
public sealed class ChatTemplate : IChatTemplate
{
    // What models without a template of their own are given: ChatML, as llama.cpp does.
    private const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private readonly JinjaTemplate _template;
    private readonly Dictionary<string, object?> _variables;
    private readonly TemplateLimits _limits;
    private readonly TimeProvider _time;
    private readonly Lazy<bool> _knowsTools;

    private ChatTemplate(string source, JsonObject? variables, TemplateLimits limits, TimeProvider time)
    {
        Source = source;
        _limits = limits;
        _time = time;
        _variables = variables?.ToDictionary(p => p.Key, p => JsonValues.From(p.Value)) ?? [];
        _template = JinjaTemplate.Parse(source, limits);
        _knowsTools = new Lazy<bool>(() => _template.Reads("tools") && ToolProbe.Passes(this));
    }

    /// <summary>The template as it was given.</summary>
    public string Source { get; }

    /// <inheritdoc/>
    /// <remarks>Found out by rendering: tools, a call and its result must all be in the text.</remarks>
    public bool KnowsTools => _knowsTools.Value;

    /// <summary>Parses a template.</summary>
    /// <param name="source">The template, as a model's file or tokenizer_config.json has it; null for ChatML.</param>
    /// <param name="variables">What every rendering sees unless its input says otherwise, e.g. <c>bos_token</c>.</param>
    /// <param name="limits">What a rendering may use; null for the defaults.</param>
    /// <param name="time">The clock that <c>strftime_now</c> reads; null for the system's.</param>
    /// <returns>The template, ready to render.</returns>
    /// <exception cref="ChatTemplateException">It is not valid Jinja; the error names line and column.</exception>
    public static ChatTemplate Parse(
        string? source, JsonObject? variables = null, TemplateLimits? limits = null, TimeProvider? time = null)
    {
        return new ChatTemplate(source ?? ChatMl, variables, limits ?? new TemplateLimits(), time ?? TimeProvider.System);
    }

    /// <summary>The template of a model's file, with its special tokens; ChatML where it has none.</summary>
    /// <param name="model">The file.</param>
    /// <param name="limits">What a rendering may use; null for the defaults.</param>
    /// <param name="time">The clock that <c>strftime_now</c> reads; null for the system's.</param>
    /// <returns>The template, ready to render.</returns>
    /// <exception cref="ChatTemplateException">It is not valid Jinja; the error names line and column.</exception>
    public static ChatTemplate Of(GgufModel model, TemplateLimits? limits = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tokens = model.Metadata.Strings("tokenizer.ggml.tokens");
        var variables = new JsonObject();
        foreach (var name in new[] { "bos", "eos", "unknown", "padding" })
        {
            if (tokens is not null && model.Metadata.Integer($"tokenizer.ggml.{name}_token_id") is { } id and >= 0 && id < tokens.Count)
            {
                variables[$"{name switch { "unknown" => "unk", "padding" => "pad", _ => name }}_token"] = tokens[(int)id];
            }
        }

        return Parse(model.Metadata.Text("tokenizer.chat_template"), variables, limits, time);
    }

    /// <summary>Renders the template.</summary>
    /// <param name="variables">
    /// What the template may see: <c>messages</c>, <c>tools</c>, <c>add_generation_prompt</c>, <c>bos_token</c>, and
    /// any other. Where they are missing, <c>tools</c> and <c>documents</c> are none and <c>add_generation_prompt</c>
    /// is false, as with <c>apply_chat_template</c>.
    /// </param>
    /// <param name="cancellationToken">Stops the rendering.</param>
    /// <returns>The prompt.</returns>
    /// <exception cref="ChatTemplateException">The template refuses the messages, or fails; the error names line and column.</exception>
    public string Render(JsonObject variables, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return Render(variables.ToDictionary(p => p.Key, p => JsonValues.From(p.Value)), cancellationToken);
    }

    /// <inheritdoc/>
    public string Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var variables = input.Variables?.ToDictionary(p => p.Key, p => JsonValues.From(p.Value)) ?? [];
        variables["messages"] = JsonValues.From(input.Messages);
        variables["tools"] = JsonValues.From(input.Tools);
        variables["add_generation_prompt"] = input.AddGenerationPrompt;
        return Render(variables, CancellationToken.None);
    }

    private string Render(Dictionary<string, object?> variables, CancellationToken cancellationToken)
    {
        foreach (var (name, value) in _variables)
        {
            variables.TryAdd(name, value);
        }

        variables.TryAdd("tools", null);
        variables.TryAdd("documents", null);
        variables.TryAdd("add_generation_prompt", false);
        return _template.Render(variables, _limits, _time, cancellationToken);
    }
}
