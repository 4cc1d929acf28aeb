using Orchestrator.Inference.Tests.Templates;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>A family of models: its template, and the control tokens that its vocabulary has.</summary>
/// <param name="Template">The template.</param>
/// <param name="Tokens">Their texts.</param>
/// <param name="Called">Those that every call is made of.</param>
/// <param name="Parallel">Whether an answer may hold several calls.</param>
public sealed record ControlTokenFamily(string Template, string[] Tokens, string[] Called, bool Parallel)
{
    private const string MistralWithArgs =
        "{%- for message in messages -%}{%- if message.role == 'user' -%}{%- if tools and loop.last -%}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{%- endif -%}[INST]{{ message.content }}[/INST]"
        + "{%- elif message.role == 'system' -%}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]"
        + "{%- elif message.role == 'tool' -%}[TOOL_RESULTS]{{ message.content }}[/TOOL_RESULTS]"
        + "{%- elif message.tool_calls -%}{%- for call in message.tool_calls -%}[TOOL_CALLS]{{ call.function.name }}[ARGS]{{ call.function.arguments | tojson }}{%- endfor -%}{{ eos_token }}"
        + "{%- else -%}{{ message.content }}{{ eos_token }}{%- endif -%}{%- endfor -%}";

    /// <summary>All families that are tested, by name.</summary>
    public static IReadOnlyDictionary<string, ControlTokenFamily> All { get; } = new Dictionary<string, ControlTokenFamily>
    {
        ["harmony"] = new(
            GoldenTemplateTests.Source("harmony.jinja"),
            ["<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>"],
            ["<|channel|>", "<|constrain|>", "<|message|>", "<|call|>"],
            false),
        ["hermes"] = new(GoldenTemplateTests.Source("hermes.jinja"), ["<tool_call>", "</tool_call>"], ["<tool_call>", "</tool_call>"], true),
        ["hermes as text"] = new(GoldenTemplateTests.Source("hermes.jinja"), [], [], true),
        ["llama3"] = new(
            GoldenTemplateTests.Source("llama3.jinja"), ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"], [], false),
        ["mistral"] = new(
            GoldenTemplateTests.Source("mistral.jinja"), ["[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"], ["[TOOL_CALLS]"], true),
        ["mistral with args"] = new(
            MistralWithArgs, ["[INST]", "[/INST]", "[TOOL_CALLS]", "[ARGS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"], ["[TOOL_CALLS]", "[ARGS]"], true),
        ["phi"] = new(
            GoldenTemplateTests.Source("phi.jinja"),
            ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|tool_call|>", "<|/tool_call|>"],
            ["<|tool_call|>", "<|/tool_call|>"],
            true),
    };
}
