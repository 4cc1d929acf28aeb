using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary><c>&lt;|tool_call|&gt;[{"name": …, "arguments": …}]&lt;|/tool_call|&gt;</c>, as Phi-4-mini writes it.</summary>
public sealed class PhiToolCallFormat : IToolCallFormat
{
    private const string Open = "<|tool_call|>";
    private const string Close = "<|/tool_call|>";

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Open, Close];

    /// <inheritdoc/>
    public string Instruction => $"To call one, answer with\n{Open}[{{\"name\": NAME, \"arguments\": {{…}}}}]{Close}";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Literal("["),
            CallJson.Several(CallJson.OneOf(tools, tool => CallJson.Object("", tool, json, "")), ", ", parallel),
            new ConstraintDefinition.Markup($"]{Close}"));

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
            var found = CallJson.TryAddAll(value, calls);
            text.Append(answer, at, (found ? open : start) - at);
            at = found ? start + length : start;
            var rest = answer.AsSpan(at).TrimStart();
            at = found && rest.StartsWith(Close) ? answer.Length - rest.Length + Close.Length : at;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return $"{Open}[{string.Join(", ", calls.Select(call => $"{{\"name\": {CallJson.Name(call, data)}, \"arguments\": {CallJson.Arguments(call, data)}}}"))}]{Close}";
    }
}
