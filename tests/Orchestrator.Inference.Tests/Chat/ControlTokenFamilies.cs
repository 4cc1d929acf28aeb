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

    // Names bare, texts between tokens, results in the turn of their calls.
    private const string Gemma4 =
        "{%- macro value(v) -%}{%- if v is string -%}<|\"|>{{ v }}<|\"|>{%- elif v is boolean -%}{{ 'true' if v else 'false' }}"
        + "{%- elif v is mapping -%}{ {{- fields(v) -}} }{%- elif v is sequence -%}[{%- for i in v -%}{{ value(i) }}{{ ',' if not loop.last }}{%- endfor -%}]{%- else -%}{{ v }}{%- endif -%}{%- endmacro -%}"
        + "{%- macro fields(m) -%}{%- for k, v in m | dictsort -%}{{ k }}:{{ value(v) }}{{ ',' if not loop.last }}{%- endfor -%}{%- endmacro -%}"
        + "{%- set last = namespace(result=false) -%}{{ bos_token }}"
        + "{%- if tools or enable_thinking or messages[0].role == 'system' -%}<|turn>system{{ '\\n' }}{%- if enable_thinking -%}<|think|>{{ '\\n' }}{%- endif -%}{%- if messages[0].role == 'system' -%}{{ messages[0].content }}{%- endif -%}"
        + "{%- for tool in tools or [] -%}<|tool>declaration:{{ tool.function.name }}{ {{- fields(tool.function.parameters) -}} }<tool|>{%- endfor -%}<turn|>{{ '\\n' }}{%- endif -%}"
        + "{%- for m in messages if m.role != 'system' -%}<|turn>{{ 'model' if m.role == 'assistant' else m.role }}{{ '\\n' }}"
        + "{%- for c in m.tool_calls or [] -%}<|tool_call>call:{{ c.function.name }}{ {{- fields(c.function.arguments) -}} }<tool_call|>{%- endfor -%}"
        + "{%- for r in m.tool_responses or [] -%}<|tool_response>response:{{ r.name }}{%- if r.response is mapping -%}{ {{- fields(r.response) -}} }{%- else -%}{value:{{ value(r.response) }}}{%- endif -%}<tool_response|>{%- endfor -%}"
        + "{{ m.content }}{%- set last.result = m.tool_responses and not m.content -%}{%- if not last.result -%}<turn|>{{ '\\n' }}{%- endif -%}{%- endfor -%}"
        + "{%- if add_generation_prompt and not last.result -%}<|turn>model{{ '\\n' }}{%- if not enable_thinking -%}<|channel>thought\n<channel|>{%- endif -%}{%- endif -%}";

    /// <summary>All families that are tested, by name.</summary>
    public static IReadOnlyDictionary<string, ControlTokenFamily> All { get; } = new Dictionary<string, ControlTokenFamily>
    {
        ["harmony"] = new(
            GoldenTemplateTests.Source("harmony.jinja"),
            ["<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>"],
            ["<|channel|>", "<|constrain|>", "<|message|>", "<|call|>"],
            false),
        ["hermes"] = new(GoldenTemplateTests.Source("hermes.jinja"), ["<tool_call>", "</tool_call>", "<think>", "</think>"], ["<tool_call>", "</tool_call>"], true),
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
        ["qwen3coder"] = new(
            GoldenTemplateTests.Source("qwen3coder.jinja"),
            ["<tool_call>", "</tool_call>", "<think>", "</think>"],
            ["<tool_call>", "</tool_call>"],
            true),
        ["qwen3coder without its tokens"] = new(GoldenTemplateTests.Source("qwen3coder.jinja"), [], [], true),
        ["gemma4"] = new(
            Gemma4,
            ["<|turn>", "<turn|>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", "<|channel>", "<channel|>", "<|think|>", "<|\"|>"],
            ["<|tool_call>", "<tool_call|>"],
            true),
        ["gemma4 without its tokens"] = new(Gemma4, [], [], true),
    };
}
