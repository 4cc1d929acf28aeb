using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>[TOOL_CALLS] [{"name": …, "arguments": …}]</c>, as Mistral writes it; newer models write
/// <c>[TOOL_CALLS]name[ARGS]{…}</c> for each call.
/// </summary>
/// <param name="withArgs">Whether the model writes the newer form.</param>
public sealed class MistralToolCallFormat(bool withArgs) : IToolCallFormat
{
    private const string Open = "[TOOL_CALLS]";
    private const string Args = "[ARGS]";
    private const string CallIdTag = "[CALL_ID]";

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Open, Args, CallIdTag];

    /// <inheritdoc/>
    public string Instruction => "To call one, answer with\n[TOOL_CALLS] [{\"name\": NAME, \"arguments\": {…}}]";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) => withArgs
        ? CallJson.Several(
            CallJson.OneOf(tools, tool => CallJson.Call("", tool, tool.Name, Args, json, "")), Open, parallel)
        : new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Literal(" ["),
            CallJson.Several(CallJson.OneOf(tools, tool => CallJson.Object("", tool, json, "")), ", ", parallel),
            new ConstraintDefinition.Literal("]"));

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
            var length = ReadCalls(answer.AsSpan(start), calls);
            text.Append(answer, at, (length > 0 ? open : start) - at);
            at = start + length;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return withArgs
            ? string.Concat(calls.Select(call => $"{Open}{data?.Invoke(call.Name) ?? call.Name}{Args}{CallJson.Arguments(call, data)}"))
            : $"{Open} [{string.Join(", ", calls.Select(call => $"{{\"name\": {CallJson.Name(call, data)}, \"arguments\": {CallJson.Arguments(call, data)}}}"))}]";
    }

    /// <inheritdoc/>
    /// <remarks>Mistral's templates take nine letters and digits, and refuse anything else.</remarks>
    public string CallId(string callId)
    {
        ArgumentNullException.ThrowIfNull(callId);
        return callId.Length == 9 && callId.All(char.IsAsciiLetterOrDigit)
            ? callId
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(callId)))[..9];
    }

    private static int ReadCalls(ReadOnlySpan<char> text, List<FunctionCallContent> calls)
    {
        var (value, length) = CallJson.ReadPrefix(text);
        if (CallJson.TryAddAll(value, calls))
        {
            return length;
        }

        // name[ARGS]{…}, perhaps with [CALL_ID]id between.
        var args = text.IndexOf(Args, StringComparison.Ordinal);
        if (args < 1 || text[..args].ContainsAny("{}\n"))
        {
            return 0;
        }

        var (arguments, end) = CallJson.ReadPrefix(text[(args + Args.Length)..]);
        if (end == 0)
        {
            return 0;
        }

        var name = text[..args];
        name = name.IndexOf(CallIdTag, StringComparison.Ordinal) is var id and >= 0 ? name[..id] : name;
        CallJson.Add(calls, ContentMarks.Strip(name.Trim().ToString()), arguments);
        return args + Args.Length + end;
    }
}
