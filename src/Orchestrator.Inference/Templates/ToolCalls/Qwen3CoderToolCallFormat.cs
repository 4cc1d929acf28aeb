using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Json;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>
/// <c>&lt;tool_call&gt;&lt;function=NAME&gt;&lt;parameter=KEY&gt;VALUE&lt;/parameter&gt;…&lt;/function&gt;&lt;/tool_call&gt;</c>,
/// a tag or a value a line, as Qwen3-Coder, Qwen 3.5 and Nemotron 3 write it: texts stand as they are, what else a
/// parameter takes is JSON.
/// </summary>
public sealed class Qwen3CoderToolCallFormat : IToolCallFormat
{
    private const string Open = "<tool_call>";
    private const string Close = "</tool_call>";
    private const string Function = "<function=";
    private const string FunctionEnd = "</function>";

    /// <inheritdoc/>
    public string Trigger => Open;

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [Open, Close];

    /// <inheritdoc/>
    public string Instruction =>
        $"To call one, answer with\n{Open}\n{Function}NAME>\n{ObjectPunctuation.ParameterOpen}PARAMETER>\nVALUE{ObjectPunctuation.ParameterEnd}{FunctionEnd}\n{Close}";

    /// <inheritdoc/>
    public ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json) =>
        CallJson.Several(
            CallJson.OneOf(tools, tool => CallJson.Call(
                $"\n{Function}", tool, tool.Name, ">\n", json with { ParameterTags = true }, $"{FunctionEnd}\n{Close}")),
            $"\n{Open}",
            parallel);

    /// <inheritdoc/>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(tools);
        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        var at = 0;
        while (answer.IndexOf(Open, at, StringComparison.Ordinal) is var open and >= 0)
        {
            var start = open + Open.Length;
            var end = ReadCall(answer, start, tools, calls);
            text.Append(answer, at, (end > start ? open : start) - at);
            at = end;
        }

        return (text.Append(answer, at, answer.Length - at).ToString().Trim(), calls);
    }

    /// <inheritdoc/>
    public string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        data ??= text => text;
        return string.Join('\n', calls.Select(call =>
            $"{Open}\n{Function}{data(call.Name)}>\n{string.Concat(JsonSerializer.SerializeToElement(call.Arguments ?? new Dictionary<string, object?>(), CallJson.Options)
                .EnumerateObject().Select(p => $"{BeforeArgument(data(p.Name), false)}{data(Value(p.Value))}{ObjectPunctuation.ParameterEnd}"))}{FunctionEnd}\n{Close}"));
    }

    /// <inheritdoc/>
    public string BeforeArgument(string name, bool isFirst) => $"{ObjectPunctuation.ParameterOpen}{name}>\n";

    /// <inheritdoc/>
    public string Argument(JsonElement value, bool isWhole = true) => Value(value) + (isWhole ? ObjectPunctuation.ParameterEnd : "");

    /// <inheritdoc/>
    public string BehindArgument(bool isLast) => isLast ? FunctionEnd : "";

    private static string Value(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : JsonSerializer.Serialize(value, CallJson.Options);

    /// <summary>Reads a call behind its opening tag.</summary>
    /// <returns>Where it ends; where it begins if there is none.</returns>
    private static int ReadCall(string answer, int start, IReadOnlyList<AIFunctionDeclaration> tools, List<FunctionCallContent> calls)
    {
        var at = start;
        if (Tag(answer, Function, ref at) is not { } name)
        {
            return start;
        }

        var parameters = new List<(string Name, string Text)>();
        while (Tag(answer, ObjectPunctuation.ParameterOpen, ref at) is { } parameter)
        {
            var end = answer.IndexOf(ObjectPunctuation.ParameterClose, at, StringComparison.Ordinal);
            if (end < 0)
            {
                return start;
            }

            parameters.Add((parameter, WithoutLines(ContentMarks.Strip(answer[at..end]))));
            at = end + ObjectPunctuation.ParameterClose.Length;
        }

        if (!Takes(answer, FunctionEnd, ref at))
        {
            return start;
        }

        Takes(answer, Close, ref at);
        CallJson.Add(calls, name, ParameterValues.Read(tools.FirstOrDefault(t => t.Name == name)?.JsonSchema, parameters));
        return at;
    }

    /// <summary>The name in a tag that comes next, behind white space, or null.</summary>
    private static string? Tag(string answer, string opening, ref int at)
    {
        var name = at;
        if (!Takes(answer, opening, ref name))
        {
            return null;
        }

        var length = answer.AsSpan(name).IndexOfAny('>', '\n');
        if (length < 1 || answer[name + length] != '>')
        {
            return null;
        }

        at = name + length + 1;
        return ContentMarks.Strip(answer[name..(name + length)]);
    }

    private static bool Takes(string answer, string text, ref int at)
    {
        // A mark only says that what is beside it is no token, and these tags are none.
        var next = at;
        while (next < answer.Length && (char.IsWhiteSpace(answer[next]) || ContentMarks.Is(answer[next])))
        {
            next++;
        }

        if (!answer.AsSpan(next).StartsWith(text, StringComparison.Ordinal))
        {
            return false;
        }

        at = next + text.Length;
        return true;
    }

    /// <summary>A value without the line break at each end, which belongs to the tags.</summary>
    private static string WithoutLines(string value)
    {
        value = value.StartsWith('\n') ? value[1..] : value;
        return value.EndsWith('\n') ? value[..^1] : value;
    }
}
