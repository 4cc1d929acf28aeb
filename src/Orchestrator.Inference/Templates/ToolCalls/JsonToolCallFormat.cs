using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>{"name": …, "parameters": …}</c> and nothing around it, as Llama 3 writes it, and as Gemma is told to. Also reads
/// <c>&lt;|python_tag|&gt;</c> before the object and a Markdown fence around it.
/// </summary>
public sealed class JsonToolCallFormat : IToolCallFormat
{
    private const string PythonTag = "<|python_tag|>";
    private const string Begin = "{\"name\": ";

    /// <inheritdoc/>
    public string Trigger => Begin;

    /// <inheritdoc/>
    /// <remarks>None: the tag that may stand before a call says nothing that the call does not.</remarks>
    public IReadOnlyList<string> Markers => [];

    /// <inheritdoc/>
    public bool SeveralAtOnce => false;

    /// <inheritdoc/>
    public string Instruction => "To call one, answer with this and nothing else: {\"name\": NAME, \"parameters\": {…}}";

    /// <inheritdoc/>
    /// <remarks>The family calls one function at a time: its templates refuse more.</remarks>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.OneOf(tools, tool => CallJson.Call("", tool, CallJson.Quote(tool.Name), ", \"parameters\": ", json, "}"));

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.AsSpan(at).IndexOfAny('{', '[') is var offset and >= 0)
        {
            var start = at + offset;
            var (value, length) = CallJson.ReadPrefix(answer.AsSpan(start));
            if (!CallJson.TryAddAll(value, calls))
            {
                // What is JSON, but no call, is left whole: a call quoted inside it is none.
                var next = start + Math.Max(length, 1);
                text.Append(answer, at, next - at);
                at = next;
                continue;
            }

            text.Append(answer, at, start - at);
            at = start + length;
            var separator = answer.AsSpan(at).TrimStart();
            at = separator.StartsWith(";") ? answer.Length - separator.Length + 1 : at;
        }

        var rest = text.Append(answer, at, answer.Length - at).ToString();
        return ((calls.Count > 0 ? WithoutFrame(rest) : rest).Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return string.Join("; ", calls.Select(call => $"{Begin}{CallJson.Name(call, data)}, \"parameters\": {CallJson.Arguments(call, data)}}}"));
    }

    private static string WithoutFrame(string text)
    {
        text = text.Replace(PythonTag, "", StringComparison.Ordinal).Trim();
        foreach (var fence in new[] { "```json", "```tool_call", "```" })
        {
            text = text.StartsWith(fence, StringComparison.Ordinal) ? text[fence.Length..] : text;
        }

        return text.TrimEnd().EndsWith("```", StringComparison.Ordinal) ? text.TrimEnd()[..^3] : text;
    }
}
