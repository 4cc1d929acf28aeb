using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Server.OpenAi;

/// <summary>Writes answers in OpenAI's format.</summary>
internal static class ChatResponseWriter
{
    /// <summary>A whole answer, or several to one question.</summary>
    public static JsonObject Completion(string id, string model, long created, IReadOnlyList<ChatResponse> answers)
    {
        var choices = new JsonArray();
        foreach (var (index, answer) in answers.Index())
        {
            var calls = answer.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().ToArray();
            var message = new JsonObject { ["role"] = "assistant", ["content"] = calls.Length > 0 && answer.Text.Length == 0 ? null : answer.Text };
            if (Reasoning(answer.Messages.SelectMany(m => m.Contents)) is { Length: > 0 } reasoning)
            {
                message["reasoning_content"] = reasoning;
            }

            if (calls.Length > 0)
            {
                message["tool_calls"] = new JsonArray([.. calls.Select(c => (JsonNode)Call(c))]);
            }

            choices.Add(new JsonObject
            {
                ["index"] = index,
                ["message"] = message,
                ["logprobs"] = LogProbabilities(ModelCall.From(answer)),
                ["finish_reason"] = answer.FinishReason?.Value ?? "stop",
            });
        }

        return new JsonObject
        {
            ["id"] = id,
            ["object"] = "chat.completion",
            ["created"] = created,
            ["model"] = model,
            ["choices"] = choices,
            ["usage"] = Usage(answers.Select(a => a.Usage)),
        };
    }

    /// <summary>One event of a streamed answer; null where the update has nothing to show.</summary>
    public static JsonObject? Chunk(string id, string model, long created, int index, ChatResponseUpdate update, ref int calls)
    {
        var delta = new JsonObject();
        if (update.Text.Length > 0)
        {
            delta["content"] = update.Text;
        }

        if (Reasoning(update.Contents) is { Length: > 0 } reasoning)
        {
            delta["reasoning_content"] = reasoning;
        }

        foreach (var call in update.Contents.OfType<FunctionCallContent>())
        {
            var written = Call(call);
            written["index"] = calls++;
            (delta["tool_calls"] ??= new JsonArray()).AsArray().Add(written);
        }

        return delta.Count == 0 && update.FinishReason is null
            ? null
            : Chunk(id, model, created, index, delta, update.FinishReason?.Value, LogProbabilities(ModelCall.From(update)));
    }

    public static JsonObject Chunk(
        string id, string model, long created, int index, JsonObject delta, string? finishReason = null, JsonNode? logProbabilities = null) => new()
        {
            ["id"] = id,
            ["object"] = "chat.completion.chunk",
            ["created"] = created,
            ["model"] = model,
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = index,
                ["delta"] = delta,
                ["logprobs"] = logProbabilities,
                ["finish_reason"] = finishReason,
            }),
        };

    public static JsonObject UsageChunk(string id, string model, long created, IEnumerable<UsageDetails?> usages) => new()
    {
        ["id"] = id,
        ["object"] = "chat.completion.chunk",
        ["created"] = created,
        ["model"] = model,
        ["choices"] = new JsonArray(),
        ["usage"] = Usage(usages),
    };

    private static JsonObject Usage(IEnumerable<UsageDetails?> usages)
    {
        // Several answers to one question share their prompt, so it counts once.
        var all = usages.OfType<UsageDetails>().ToArray();
        var prompt = all.Length == 0 ? 0 : all[0].InputTokenCount ?? 0;
        var completion = all.Sum(u => u.OutputTokenCount ?? 0);
        return new JsonObject
        {
            ["prompt_tokens"] = prompt,
            ["completion_tokens"] = completion,
            ["total_tokens"] = prompt + completion,
            ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = all.Length == 0 ? 0 : all[0].CachedInputTokenCount ?? 0 },
        };
    }

    private static JsonObject Call(FunctionCallContent call) => new()
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>()),
        },
    };

    private static string Reasoning(IEnumerable<AIContent> contents) =>
        string.Concat(contents.OfType<TextReasoningContent>().Select(c => c.Text));

    private static JsonObject? LogProbabilities(ModelCall? call) => call?.Tokens is not { } tokens
        ? null
        : new JsonObject { ["content"] = new JsonArray([.. tokens.Select(t => (JsonNode)Token(t, withAlternatives: true))]) };

    private static JsonObject Token(TokenDetail token, bool withAlternatives)
    {
        var json = new JsonObject
        {
            ["token"] = Encoding.UTF8.GetString(token.Bytes.Span),
            ["logprob"] = float.IsFinite(token.LogProbability) ? token.LogProbability : float.IsNaN(token.LogProbability) ? 0 : -9999,
            ["bytes"] = new JsonArray([.. token.Bytes.ToArray().Select(b => (JsonNode)b)]),
        };
        if (withAlternatives)
        {
            json["top_logprobs"] = new JsonArray([.. token.Alternatives.Select(a => (JsonNode)Token(a, withAlternatives: false))]);
        }

        return json;
    }
}
