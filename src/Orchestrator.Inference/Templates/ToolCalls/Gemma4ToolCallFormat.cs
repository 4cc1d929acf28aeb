using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>&lt;|tool_call&gt;call:NAME{key:&lt;|"|&gt;text&lt;|"|&gt;,other:1}&lt;tool_call|&gt;</c>, as Gemma 4 writes it: names stand
/// bare, and a token of its own stands around texts, in which nothing is escaped. (Google, "Gemma 4 prompt formatting".)
/// </summary>
/// <param name="resultsWithCalls">Whether the template takes the results of calls in the message that made them.</param>
public sealed class Gemma4ToolCallFormat(bool resultsWithCalls) : IToolCallFormat
{
    private const string Open = "<|tool_call>";
    private const string Close = "<tool_call|>";

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Open, Close, Gemma4Values.Quote];

    /// <inheritdoc/>
    public bool ResultsWithCalls => resultsWithCalls;

    /// <inheritdoc/>
    public string Instruction => $"To call one, answer with\n{Open}call:NAME{{PARAMETER:VALUE}}{Close}";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.Several(
            CallJson.OneOf(tools, tool => CallJson.Call("call:", tool, tool.Name, "", json with { Quote = Gemma4Values.Quote }, Close)),
            Open,
            parallel);

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        ArgumentNullException.ThrowIfNull(answer);
        const string Call = "call:";
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.IndexOf(Open, at, StringComparison.Ordinal) is var open and >= 0)
        {
            var start = open + Open.Length;
            var rest = answer.AsSpan(start);
            var brace = rest.IndexOf('{');
            var reader = new Gemma4Values(answer, start + Math.Max(0, brace));
            if (brace <= Call.Length || !rest.StartsWith(Call) || rest[..brace].ContainsAny("<\n") || reader.Read() is not JsonObject arguments)
            {
                text.Append(answer, at, start - at);
                at = start;
                continue;
            }

            text.Append(answer, at, open - at);
            CallJson.Add(calls, ContentMarks.Strip(rest[Call.Length..brace].Trim().ToString()), JsonSerializer.SerializeToElement(arguments, CallJson.Options));
            at = answer.AsSpan(reader.At).StartsWith(Close) ? reader.At + Close.Length : reader.At;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        data ??= text => text;
        return string.Concat(calls.Select(call =>
            $"{Open}call:{data(call.Name)}{Gemma4Values.Write(JsonNode.Parse(CallJson.Arguments(call)), data)}{Close}"));
    }
}
