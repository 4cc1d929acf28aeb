using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Server.OpenAi;

/// <summary>What a client asks of <c>/v1/chat/completions</c>.</summary>
/// <param name="Model">The model's name as the client wrote it.</param>
/// <param name="Messages">The conversation.</param>
/// <param name="Options">How to answer.</param>
/// <param name="Stream">Whether the answer is wanted as events.</param>
/// <param name="IncludeUsage">Whether a stream ends with the usage.</param>
/// <param name="Count">How many answers.</param>
/// <param name="LogProbabilities">Whether log-probabilities are wanted.</param>
/// <param name="Adapters">The adapters of the field <c>adapters</c>, which OpenAI's API doesn't have.</param>
internal sealed record ChatRequest(
    string? Model,
    IReadOnlyList<ChatMessage> Messages,
    ChatOptions Options,
    bool Stream,
    bool IncludeUsage,
    int Count,
    bool LogProbabilities,
    IReadOnlyList<AdapterUse> Adapters);

/// <summary>Reads OpenAI's chat completion requests. What is not understood is refused by name, never ignored.</summary>
internal static class ChatRequestReader
{
    private static readonly HashSet<string> Understood =
    [
        "model", "messages", "stream", "stream_options", "n", "temperature", "top_p", "max_tokens", "max_completion_tokens",
        "stop", "seed", "frequency_penalty", "presence_penalty", "tools", "tool_choice", "parallel_tool_calls",
        "response_format", "logprobs", "top_logprobs", "reasoning_effort",
        "adapters",
    ];

    // These change nothing in an answer here.
    private static readonly HashSet<string> Harmless = ["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"];

    public static ChatRequest Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new ApiException(400, "The body must be a JSON object.");
        }

        foreach (var property in body.EnumerateObject())
        {
            if (!Understood.Contains(property.Name) && !Harmless.Contains(property.Name))
            {
                throw ApiException.Invalid(property.Name, $"'{property.Name}' is not supported here.");
            }
        }

        var logProbabilities = Get(body, "logprobs")?.ValueKind == JsonValueKind.True;
        var options = new ChatOptions
        {
            Temperature = Number(body, "temperature", 0, 2),
            TopP = Number(body, "top_p", 0, 1),
            MaxOutputTokens = (int?)(Number(body, "max_completion_tokens", 1, int.MaxValue) ?? Number(body, "max_tokens", 1, int.MaxValue)),
            Seed = Get(body, "seed") is { } seed ? seed.TryGetInt64(out var s) ? s : throw ApiException.Invalid("seed", "'seed' must be a whole number.") : null,
            FrequencyPenalty = Number(body, "frequency_penalty", -2, 2),
            PresencePenalty = Number(body, "presence_penalty", -2, 2),
            StopSequences = Stop(body),
            ResponseFormat = Format(body),
            Reasoning = Reasoning(body),
            AllowMultipleToolCalls = Get(body, "parallel_tool_calls") is { } parallel ? parallel.ValueKind == JsonValueKind.True : null,
        };
        Tools(body, options);
        if (logProbabilities)
        {
            options = new ModelRequest { TopLogProbabilities = (int)(Number(body, "top_logprobs", 0, 20) ?? 0) }.ApplyTo(options);
        }

        return new ChatRequest(
            Text(body, "model"),
            Messages(body),
            options,
            Get(body, "stream")?.ValueKind == JsonValueKind.True,
            Get(body, "stream_options") is { ValueKind: JsonValueKind.Object } stream && Get(stream, "include_usage")?.ValueKind == JsonValueKind.True,
            (int)(Number(body, "n", 1, 16) ?? 1),
            logProbabilities,
            Adapters(body));
    }

    private static ReasoningOptions? Reasoning(JsonElement body) => Get(body, "reasoning_effort")?.ToString() switch
    {
        null => null,
        "none" => new() { Effort = ReasoningEffort.None },
        "minimal" or "low" => new() { Effort = ReasoningEffort.Low },
        "medium" => new() { Effort = ReasoningEffort.Medium },
        "high" => new() { Effort = ReasoningEffort.High },
        "xhigh" => new() { Effort = ReasoningEffort.ExtraHigh },
        var effort => throw ApiException.Invalid("reasoning_effort", $"'reasoning_effort' is '{effort}'; it must be none, minimal, low, medium, high or xhigh."),
    };

    private static List<AdapterUse> Adapters(JsonElement body) => Get(body, "adapters") switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } array => [.. array.EnumerateArray().Select((item, i) =>
            item.ValueKind == JsonValueKind.String ? new AdapterUse(item.GetString()!)
            : Text(item, "name") is { Length: > 0 } name ? new AdapterUse(name, Number(item, "scale", -100, 100) ?? 1)
            : throw ApiException.Invalid($"adapters[{i}]", $"adapters[{i}] must be a name, or an object with 'name' and 'scale'."))],
        _ => throw ApiException.Invalid("adapters", "'adapters' must be an array of names, or of objects with 'name' and 'scale'."),
    };

    private static List<ChatMessage> Messages(JsonElement body)
    {
        if (Get(body, "messages") is not { ValueKind: JsonValueKind.Array } array || array.GetArrayLength() == 0)
        {
            throw ApiException.Invalid("messages", "'messages' must be an array with at least one message.");
        }

        var messages = new List<ChatMessage>();
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            var at = $"messages[{index}]";
            var text = item.ValueKind == JsonValueKind.Object
                ? Content(item, at)
                : throw ApiException.Invalid(at, $"{at} must be an object.");
            messages.Add(Text(item, "role") switch
            {
                "system" or "developer" => new ChatMessage(ChatRole.System, text),
                "user" => new ChatMessage(ChatRole.User, text) { AuthorName = Text(item, "name") },
                "assistant" => new ChatMessage(ChatRole.Assistant, [.. text.Length > 0 ? [new TextContent(text)] : Array.Empty<AIContent>(), .. Calls(item, at)]),
                "tool" => new ChatMessage(ChatRole.Tool, [new FunctionResultContent(Text(item, "tool_call_id") ?? "", text)]),
                var role => throw ApiException.Invalid($"{at}.role", $"{at}.role is '{role}'; it must be system, developer, user, assistant or tool."),
            });
        }

        return messages;
    }

    private static string Content(JsonElement message, string at) => Get(message, "content") switch
    {
        null => "",
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { ValueKind: JsonValueKind.Array } parts => string.Concat(parts.EnumerateArray().Select(part =>
            Text(part, "type") == "text" ? Text(part, "text") : throw ApiException.Invalid($"{at}.content", $"{at}.content holds a '{Text(part, "type")}' part; only text is supported."))),
        _ => throw ApiException.Invalid($"{at}.content", $"{at}.content must be a string or an array of text parts."),
    };

    private static IEnumerable<AIContent> Calls(JsonElement message, string at)
    {
        if (Get(message, "tool_calls") is not { ValueKind: JsonValueKind.Array } calls)
        {
            yield break;
        }

        foreach (var call in calls.EnumerateArray())
        {
            if (Get(call, "function") is not { ValueKind: JsonValueKind.Object } function || Text(function, "name") is not { } name)
            {
                throw ApiException.Invalid($"{at}.tool_calls", $"{at}.tool_calls holds a call without a function name.");
            }

            yield return new FunctionCallContent(Text(call, "id") ?? "", name, Arguments(Text(function, "arguments") ?? "{}", at));
        }
    }

    private static Dictionary<string, object?> Arguments(string json, string at)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!.ToDictionary(p => p.Key, p => (object?)p.Value);
        }
        catch (JsonException)
        {
            throw ApiException.Invalid($"{at}.tool_calls", $"{at}.tool_calls holds arguments that are no JSON object.");
        }
    }

    private static void Tools(JsonElement body, ChatOptions options)
    {
        if (Get(body, "tools") is not { ValueKind: JsonValueKind.Array } tools)
        {
            return;
        }

        options.Tools = [.. tools.EnumerateArray().Select((tool, i) => (AITool)Declaration(tool, i))];
        options.ToolMode = Get(body, "tool_choice") switch
        {
            null => ChatToolMode.Auto,
            { ValueKind: JsonValueKind.String } text => text.GetString() switch
            {
                "auto" => ChatToolMode.Auto,
                "none" => ChatToolMode.None,
                "required" => ChatToolMode.RequireAny,
                var other => throw ApiException.Invalid("tool_choice", $"'tool_choice' is '{other}'; it must be auto, none, required, or a function."),
            },
            { ValueKind: JsonValueKind.Object } choice when Get(choice, "function") is { } function && Text(function, "name") is { } name =>
                options.Tools.Any(t => t.Name == name)
                    ? ChatToolMode.RequireSpecific(name)
                    : throw ApiException.Invalid("tool_choice", $"'tool_choice' names '{name}', which is not among the tools."),
            _ => throw ApiException.Invalid("tool_choice", "'tool_choice' must be auto, none, required, or a function."),
        };
    }

    private static AIFunctionDeclaration Declaration(JsonElement tool, int index)
    {
        if (tool.ValueKind != JsonValueKind.Object || Get(tool, "function") is not { ValueKind: JsonValueKind.Object } function
            || Text(function, "name") is not { Length: > 0 } name)
        {
            throw ApiException.Invalid($"tools[{index}]", $"tools[{index}] must be a function with a name.");
        }

        return AIFunctionFactory.CreateDeclaration(name, Text(function, "description"), ToolSchema.Read(Get(function, "parameters")));
    }

    private static ChatResponseFormat? Format(JsonElement body) => Get(body, "response_format") switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } format => Text(format, "type") switch
        {
            "text" => ChatResponseFormat.Text,
            "json_object" => ChatResponseFormat.Json,
            "json_schema" when Get(format, "json_schema") is { ValueKind: JsonValueKind.Object } named && Get(named, "schema") is { } schema =>
                ChatResponseFormat.ForJsonSchema(schema.Clone(), Text(named, "name"), Text(named, "description")),
            var type => throw ApiException.Invalid("response_format", $"'response_format' of type '{type}' must be text, json_object, or json_schema with a schema."),
        },
        _ => throw ApiException.Invalid("response_format", "'response_format' must be an object."),
    };

    private static List<string>? Stop(JsonElement body) => Get(body, "stop") switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => [text.GetString()!],
        { ValueKind: JsonValueKind.Array } texts when texts.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String) =>
            [.. texts.EnumerateArray().Select(t => t.GetString()!)],
        _ => throw ApiException.Invalid("stop", "'stop' must be a string or an array of strings."),
    };

    private static float? Number(JsonElement body, string name, double min, double max)
    {
        if (Get(body, name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= min && number <= max
            ? (float)number
            : throw ApiException.Invalid(name, $"'{name}' must be a number from {min} to {max}.");
    }

    private static string? Text(JsonElement element, string name) =>
        Get(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static JsonElement? Get(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
}
