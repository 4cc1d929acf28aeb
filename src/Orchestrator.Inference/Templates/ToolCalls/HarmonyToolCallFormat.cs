using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// gpt-oss's harmony: every answer is messages, each of a channel, and a call is one that has a recipient,
/// <c>&lt;|channel|&gt;commentary to=functions.NAME &lt;|constrain|&gt;json&lt;|message|&gt;{…}&lt;|call|&gt;</c>.
/// (OpenAI, "OpenAI harmony response format", 2025.)
/// </summary>
public sealed class HarmonyToolCallFormat : IToolCallFormat
{
    private const string Recipient = "to=functions.";
    private const string Channel = "<|channel|>";
    private const string Constrained = " <|constrain|>json<|message|>";
    private const string Message = "<|message|>";
    private const string End = "<|end|>";
    private const string Start = "<|start|>";
    private const string Next = $"{End}{Start}assistant";
    private const string Called = "<|call|>";
    private const string Returned = "<|return|>";

    /// <inheritdoc/>
    public string Trigger => $"{Channel}commentary {Recipient}";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Start, Channel, Message, "<|constrain|>", End, Called, Returned];

    /// <inheritdoc/>
    public string Opening => $"{Channel}final{Message}";

    /// <inheritdoc/>
    /// <remarks>A message calls one function; its end, <c>&lt;|call|&gt;</c>, is the end of the answer.</remarks>
    public bool SeveralAtOnce => false;

    /// <inheritdoc/>
    public string Instruction => $"To call one, answer with\n{Trigger}NAME{Constrained}{{…}}{Called}";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.OneOf(tools, tool => CallJson.Call("", tool, tool.Name, Constrained, json, Called));

    /// <inheritdoc/>
    /// <remarks>
    /// A text of a given form is the final message; what is reasoned before it is no part of the constraint.
    /// An answer may be cut within any message, so that one that runs out of tokens says so.
    /// </remarks>
    public ConstraintDefinition? Frame(
        ConstraintDefinition? text, IReadOnlyList<AIFunctionDeclaration> tools, JsonConstraintOptions json)
    {
        ArgumentNullException.ThrowIfNull(tools);
        if (text is not null)
        {
            return new ConstraintDefinition.Sequence(
                new ConstraintDefinition.Markup(Opening), text, new ConstraintDefinition.Markup(Returned));
        }

        var thought = new ConstraintDefinition.Choice(Begun("analysis"), Begun("commentary"));
        List<ConstraintDefinition> last = [thought, Begun("final")];
        if (tools.Count > 0)
        {
            last.Add(new ConstraintDefinition.Sequence(new ConstraintDefinition.Markup(Trigger), Constrain(tools, false, json)));
        }

        return new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Repeat(new ConstraintDefinition.Sequence(thought, new ConstraintDefinition.Markup(Next)), 0, null),
            new ConstraintDefinition.Choice(last));
    }

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools)
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
            var name = header[..(header.IndexOfAny([' ', '<']) is var end and >= 0 ? end : header.Length)];
            CallJson.Add(calls, ContentMarks.Strip(name), arguments);
            at = message + Message.Length + length;
            at = answer.AsSpan(at).StartsWith(Called) ? at + Called.Length : at;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return string.Join($"{Start}assistant", calls.Select(call =>
            $"{Trigger}{data?.Invoke(call.Name) ?? call.Name}{Constrained}{CallJson.Arguments(call, data)}{Called}"));
    }

    /// <inheritdoc/>
    /// <remarks>The template lays the text beside a call out as reasoning, which is to be kept up to the next answer.</remarks>
    public string Beside(string reasoning, string text)
    {
        ArgumentNullException.ThrowIfNull(reasoning);
        ArgumentNullException.ThrowIfNull(text);
        return reasoning.Length == 0 || text.Length == 0 ? reasoning + text : $"{reasoning}\n\n{text}";
    }

    private static ConstraintDefinition.Sequence Begun(string channel) =>
        new(new ConstraintDefinition.Markup($"{Channel}{channel}{Message}"), new ConstraintDefinition.Regex(@"[\s\S]*"));

    /// <summary>Where the header of a message begins whose recipient stands here: at its start tag or its channel.</summary>
    private static int HeaderStart(string answer, int from, int recipient)
    {
        var before = answer.AsSpan(from, recipient - from);
        var start = before.LastIndexOf(Start);
        start = start >= 0 ? start : before.LastIndexOf(Channel);
        return start >= 0 && !before[start..].Contains(Message, StringComparison.Ordinal) ? from + start : recipient;
    }
}
