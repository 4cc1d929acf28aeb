using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Templates;

/// <summary>
/// Lays out chat messages by the model's own template. What people, tools and models wrote is data: it never becomes a
/// special token. Messages whose token ids are known keep them.
/// </summary>
public sealed class ChatPromptRenderer
{
    private readonly IChatTemplate _template;
    private readonly SpecialTextSet _specials;
    private readonly IToolCallFormat _toolCalls;
    private readonly bool _takesSystem;
    private readonly bool _takesAnyOrder;

    /// <summary>Creates a renderer, and finds out what the template accepts.</summary>
    /// <param name="template">The model's template.</param>
    /// <param name="specials">The texts of the model's special tokens.</param>
    /// <param name="toolCalls">How the model writes tool calls.</param>
    public ChatPromptRenderer(IChatTemplate template, IReadOnlyList<string> specials, IToolCallFormat toolCalls)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(specials);
        ArgumentNullException.ThrowIfNull(toolCalls);
        _template = template;
        _specials = new SpecialTextSet(specials);
        _toolCalls = toolCalls;

        // A system turn that the template moves behind later turns would make every prompt a new one.
        _takesSystem = Accepts("sys7", "usr1", ("system", "sys7"), ("user", "usr1"), ("assistant", "c"), ("user", "d"));
        OpensTurns = _takesSystem || Accepts("sys7", "usr1", ("user", "sys7\n\nusr1"));
        _takesAnyOrder = Accepts("usr1", "ans2", ("user", "usr1"), ("user", "b"), ("assistant", "c"), ("assistant", "ans2"), ("user", "e"));
    }

    /// <summary>Lays out a prompt.</summary>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="tools">The tools on offer; may be empty.</param>
    /// <param name="answerPrefix">Text that the answer to the user begins with; empty to begin it with nothing yet, null not to begin it.</param>
    /// <param name="effort">How much the model is to reason; null leaves it to the template. An answer that is begun has no reasoning.</param>
    /// <returns>The prompt's parts in order.</returns>
    /// <exception cref="ChatTemplateException">The template refuses the messages.</exception>
    public IReadOnlyList<PromptSegment> Render(
        IEnumerable<ChatMessage> messages, IReadOnlyList<AIFunctionDeclaration> tools, string? answerPrefix = null, ReasoningEffort? effort = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(tools);
        var known = new List<IReadOnlyList<int>>();
        var names = new Dictionary<string, string>();
        var turns = messages.SelectMany(message => ToTurns(message, known, names)).ToList();
        if (_template.KnowsTools)
        {
            turns = ChatTurn.Arrange(turns, _toolCalls);
        }

        if (tools.Count > 0 && !_template.KnowsTools)
        {
            var described = new ChatTurn("system", ContentMarks.BreakSpecials(DescribeTools(tools), _specials));
            turns.Insert(turns.FindLastIndex(t => t.Role == "system") + 1, described);
        }

        var laidOut = Accommodate(turns);
        var text = _template.Render(new ChatTemplateInput(
            new JsonArray([.. laidOut.Select(t => (JsonNode)t.ToJson())]),
            tools.Count > 0 && _template.KnowsTools ? new JsonArray([.. tools.Select(t => BreakSpecials(ToJson(t)))]) : null,
            Variables: ReasoningFormat.Variables(answerPrefix is null ? effort : ReasoningEffort.None)));
        if (answerPrefix is not null)
        {
            text += _toolCalls.Opening + ContentMarks.BreakSpecials(answerPrefix, _specials);
        }

        return Split(text, known);
    }

    /// <summary>Whether the template keeps what the user says where <see cref="RenderOpening"/> can find it.</summary>
    public bool OpensTurns { get; }

    /// <summary>Lays out an instruction and opens the user's message after it.</summary>
    /// <param name="instruction">The system's message.</param>
    /// <returns>The prompt's parts up to where the user's words begin.</returns>
    /// <exception cref="ChatTemplateException">The template refuses the messages.</exception>
    /// <exception cref="InvalidOperationException">Not <see cref="OpensTurns"/>.</exception>
    public IReadOnlyList<PromptSegment> RenderOpening(string instruction)
    {
        const string Words = "usr1";
        List<ChatTurn> turns = [new("system", ContentMarks.BreakSpecials(instruction, _specials)), new("user", Words)];
        var text = _template.Render(new ChatTemplateInput(new JsonArray([.. Accommodate(turns).Select(t => (JsonNode)t.ToJson())])));
        return text.LastIndexOf(Words, StringComparison.Ordinal) is var end and > 0
            ? Split(text[..end], [])
            : throw new InvalidOperationException("The chat template drops what the user says.");
    }

    private static List<PromptSegment> Split(string text, List<IReadOnlyList<int>> known)
    {
        var segments = new List<PromptSegment>();
        var at = 0;
        while (at < text.Length)
        {
            var mark = text.AsSpan(at).IndexOfAny(ContentMarks.Open, ContentMarks.Break);
            var end = mark < 0 ? text.Length : at + mark;
            if (end > at)
            {
                segments.Add(new PromptSegment(text[at..end]));
            }

            if (mark >= 0 && text[end] == ContentMarks.Open)
            {
                var close = text.IndexOf(ContentMarks.Close, end);
                segments.Add(new PromptSegment("", known[int.Parse(text.AsSpan(end + 1, close - end - 1), CultureInfo.InvariantCulture)]));
                end = close;
            }

            at = end + 1;
        }

        return segments;
    }

    private IEnumerable<ChatTurn> ToTurns(
        ChatMessage message, List<IReadOnlyList<int>> known, Dictionary<string, string> names)
    {
        var calls = message.Contents.OfType<FunctionCallContent>().ToArray();
        var results = message.Contents.OfType<FunctionResultContent>().ToArray();
        var content = Content(message, calls.Length > 0, known);
        if (results.Length > 0)
        {
            foreach (var result in results)
            {
                var value = ContentMarks.BreakSpecials(ResultText(result), _specials);
                yield return _template.KnowsTools
                    ? new ChatTurn("tool", value)
                    {
                        CallId = _toolCalls.CallId(result.CallId),
                        Name = names.GetValueOrDefault(result.CallId),
                        Result = _toolCalls.ResultsWithCalls ? BreakSpecials(ResultNode(result)) : null,
                    }
                    : new ChatTurn("user", $"<tool_response>\n{value}\n</tool_response>");
            }
        }
        else if (calls.Length > 0 && !_template.KnowsTools)
        {
            var written = _toolCalls.Write(calls, text => ContentMarks.BreakSpecials(text, _specials));
            yield return new ChatTurn("assistant", content.Length > 0 ? $"{content}\n{written}" : written);
        }
        else
        {
            foreach (var call in calls)
            {
                names[call.CallId] = ContentMarks.BreakSpecials(call.Name, _specials);
            }

            var reasoning = calls.Length > 0 ? ContentMarks.BreakSpecials(Reasoning(message), _specials) : "";
            yield return new ChatTurn(message.Role.Value, calls.Length > 0 ? _toolCalls.Beside(reasoning, content) : content)
            {
                Calls = [.. calls.Select(ToJson)],
                Reasoning = reasoning,
            };
        }
    }

    private static string Reasoning(ChatMessage message) =>
        string.Concat(message.Contents.OfType<TextReasoningContent>().Select(c => c.Text)).Trim();

    private string Content(ChatMessage message, bool hasCalls, List<IReadOnlyList<int>> known)
    {
        var text = message.Text;

        // A template may trim a content or cut reasoning out of it; ids are kept only where it can do neither.
        if (!hasCalls && text.Length > 0 && ModelCall.GetTokenIds(message) is { Count: > 0 } ids
            && message.Role == ChatRole.Assistant
            && !char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1])
            && !text.Contains("think", StringComparison.Ordinal))
        {
            known.Add(ids);
            return string.Create(CultureInfo.InvariantCulture, $"{ContentMarks.Open}{known.Count - 1}{ContentMarks.Close}");
        }

        return ContentMarks.BreakSpecials(text, _specials);
    }

    private List<ChatTurn> Accommodate(List<ChatTurn> turns)
    {
        if (!_takesSystem)
        {
            var system = string.Join("\n\n", turns.Where(t => t.Role == "system").Select(t => t.Content));
            turns = [.. turns.Where(t => t.Role != "system")];
            if (system.Length > 0)
            {
                var first = turns.FindIndex(t => t.Role == "user");
                if (first < 0)
                {
                    turns.Insert(0, new ChatTurn("user", system));
                }
                else
                {
                    turns[first] = turns[first] with { Content = $"{system}\n\n{turns[first].Content}" };
                }
            }
        }

        var merged = new List<ChatTurn>(turns.Count);
        foreach (var turn in turns)
        {
            // Several system turns are one: no template expects them, and most would drop or misplace the later ones.
            var joins = merged.Count > 0 && merged[^1].Role == turn.Role && turn.Role != "tool"
                && turn.Calls.Count == 0 && merged[^1].Calls.Count == 0
                && (!_takesAnyOrder || turn.Role == "system");
            if (joins)
            {
                merged[^1] = merged[^1] with { Content = $"{merged[^1].Content}\n\n{turn.Content}" };
            }
            else
            {
                merged.Add(turn);
            }
        }

        return merged;
    }

    /// <summary>Whether the template renders turns, with one text before another.</summary>
    private bool Accepts(string earlier, string later, params ReadOnlySpan<(string Role, string Content)> turns)
    {
        var messages = new JsonArray();
        foreach (var (role, content) in turns)
        {
            messages.Add(new ChatTurn(role, content).ToJson());
        }

        try
        {
            var text = _template.Render(new ChatTemplateInput(messages));
            return text.IndexOf(earlier, StringComparison.Ordinal) is var at and >= 0 && at < text.IndexOf(later, StringComparison.Ordinal);
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }

    private string DescribeTools(IReadOnlyList<AIFunctionDeclaration> tools) =>
        "You may call these functions:\n"
        + string.Join('\n', tools.Select(t => ToJson(t).ToJsonString(CallJson.Options)))
        + "\n" + _toolCalls.Instruction;

    /// <summary>A JSON value all of whose texts are kept from becoming special tokens.</summary>
    private JsonNode? BreakSpecials(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(ContentMarks.BreakSpecials(p.Key, _specials), BreakSpecials(p.Value)))),
        JsonArray array => new JsonArray([.. array.Select(BreakSpecials)]),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => ContentMarks.BreakSpecials(value.GetValue<string>(), _specials),
        _ => node?.DeepClone(),
    };

    private static JsonObject ToJson(AIFunctionDeclaration tool) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = tool.Name,
            ["description"] = tool.Description,
            ["parameters"] = JsonNode.Parse(tool.JsonSchema.GetRawText()),
        },
    };

    private JsonNode ToJson(FunctionCallContent call) => new JsonObject
    {
        ["id"] = _toolCalls.CallId(call.CallId),
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = ContentMarks.BreakSpecials(call.Name, _specials),
            ["arguments"] = BreakSpecials(JsonSerializer.SerializeToNode(call.Arguments ?? new Dictionary<string, object?>(), CallJson.Options)),
        },
    };

    private static string ResultText(FunctionResultContent result) => result.Result switch
    {
        null => result.Exception?.Message ?? "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement element => element.GetRawText(),
        JsonNode node => node.ToJsonString(CallJson.Options),
        var value => JsonSerializer.Serialize(value, CallJson.Options),
    };

    /// <summary>A result as JSON where it is an object, and as text where it is anything else.</summary>
    private static JsonNode ResultNode(FunctionResultContent result)
    {
        var text = ResultText(result);
        try
        {
            return text.TrimStart().StartsWith('{') && JsonNode.Parse(text) is JsonObject node ? node : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
