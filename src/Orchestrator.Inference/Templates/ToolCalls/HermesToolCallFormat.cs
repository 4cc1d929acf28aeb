using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>&lt;tool_call&gt;{"name": …, "arguments": …}&lt;/tool_call&gt;</c>, as Hermes and Qwen write it; also what models
/// without a format of their own are told to write.
/// </summary>
public sealed class HermesToolCallFormat : IToolCallFormat
{
    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Open, Close];

    /// <inheritdoc/>
    public string Instruction => "To call one, answer with\n<tool_call>\n{\"name\": NAME, \"arguments\": {…}}\n</tool_call>";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.Several(
            CallJson.OneOf(tools, tool => CallJson.Object("\n", tool, json, $"\n{Close}")),
            $"\n{Open}",
            parallel);

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.IndexOf(Open, at, StringComparison.Ordinal) is var open and >= 0)
        {
            var start = open + Open.Length;
            var (value, length) = CallJson.ReadPrefix(answer.AsSpan(start));
            if (!CallJson.TryAddAll(value, calls))
            {
                text.Append(answer, at, start - at);
                at = start;
                continue;
            }

            text.Append(answer, at, open - at);
            at = start + length;
            var rest = answer.AsSpan(at).TrimStart();
            at = rest.StartsWith(Close) ? answer.Length - rest.Length + Close.Length : at;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return string.Join('\n', calls.Select(call =>
            $"{Open}\n{{\"name\": {CallJson.Name(call, data)}, \"arguments\": {CallJson.Arguments(call, data)}}}\n{Close}"));
    }
}
