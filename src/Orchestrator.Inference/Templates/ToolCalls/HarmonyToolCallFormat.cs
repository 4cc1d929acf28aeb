using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// gpt-oss's harmony: <c>&lt;|channel|&gt;commentary to=functions.NAME &lt;|constrain|&gt;json&lt;|message|&gt;{…}&lt;|call|&gt;</c>.
/// </summary>
public sealed class HarmonyToolCallFormat : IToolCallFormat
{
    private const string Recipient = "to=functions.";
    private const string Message = "<|message|>";

    /// <inheritdoc/>
    public string Trigger => "<|channel|>commentary to=functions.";

    /// <inheritdoc/>
    public string Instruction => $"To call one, answer with\n<|channel|>commentary to=functions.NAME <|constrain|>json{Message}{{…}}<|call|>";

    /// <inheritdoc/>
    /// <remarks>A message calls one function; its end, <c>&lt;|call|&gt;</c>, is the end of the answer.</remarks>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.OneOf(tools, tool => CallJson.Around($"{tool.Name} <|constrain|>json{Message}", tool, json, ""));

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.IndexOf(Recipient, at, StringComparison.Ordinal) is var found and >= 0)
        {
            var start = found + Recipient.Length;
            var message = answer.IndexOf(Message, start, StringComparison.Ordinal);
            var header = message < 0 ? "" : answer[start..message];
            var (arguments, length) = message < 0 ? default : CallJson.ReadPrefix(answer.AsSpan(message + Message.Length));
            if (length == 0 || header.Contains('\n', StringComparison.Ordinal))
            {
                text.Append(answer, at, start - at);
                at = start;
                continue;
            }

            text.Append(answer, at, HeaderStart(answer, at, found) - at);
            CallJson.Add(calls, header[..(header.IndexOfAny([' ', '<']) is var end and >= 0 ? end : header.Length)], arguments);
            at = message + Message.Length + length;
            at = answer.AsSpan(at).StartsWith("<|call|>") ? at + "<|call|>".Length : at;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return string.Join("<|start|>assistant", calls.Select(call =>
            $"{Trigger}{call.Name} <|constrain|>json{Message}{CallJson.Arguments(call)}<|call|>"));
    }

    /// <summary>Where the header of a message begins whose recipient stands here: at its start tag or its channel.</summary>
    private static int HeaderStart(string answer, int from, int recipient)
    {
        var before = answer.AsSpan(from, recipient - from);
        var start = before.LastIndexOf("<|start|>");
        start = start >= 0 ? start : before.LastIndexOf("<|channel|>");
        return start >= 0 && !before[start..].Contains(Message, StringComparison.Ordinal) ? from + start : recipient;
    }
}
