using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Orchestrator.Testing.Models;

/// <summary>One answer of a <see cref="ScriptedChatClient"/>: a text, tool calls, or a fault.</summary>
public abstract record ScriptedAnswer
{
    private protected ScriptedAnswer()
    {
    }

    /// <summary>Says something.</summary>
    /// <param name="text">The text.</param>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer Says(string text) => new TextAnswer(text);

    /// <summary>Writes an object as JSON, as under a schema.</summary>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="value">The object; its properties are written in camelCase.</param>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer SaysJson<T>(T value) =>
        new TextAnswer(JsonSerializer.Serialize(value, JsonSerializerOptions.Web));

    /// <summary>Calls a tool.</summary>
    /// <param name="tool">The tool's name, as offered in <see cref="ChatOptions.Tools"/>.</param>
    /// <param name="arguments">An object whose properties are the arguments, a dictionary, or null for none.</param>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer Calls(string tool, object? arguments = null) =>
        new ToolCallAnswer([(tool, Arguments(arguments))]);

    /// <summary>Calls several tools at once.</summary>
    /// <param name="calls">The tools with their arguments, as in <see cref="Calls"/>.</param>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer CallsAll(params (string Tool, object? Arguments)[] calls) =>
        new ToolCallAnswer([.. calls.Select(c => (c.Tool, Arguments(c.Arguments)))]);

    /// <summary>Fails.</summary>
    /// <param name="error">What is thrown.</param>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer Throws(Exception error) => new FaultAnswer(error);

    /// <summary>Never answers; ends only when the call is cancelled.</summary>
    /// <returns>An answer.</returns>
    public static ScriptedAnswer Hangs() => new HangingAnswer();

    /// <summary>Talks nonsense until it is cut off, the same for the same seed; as a small model that lost the thread.</summary>
    /// <param name="words">How many words, less where <see cref="ChatOptions.MaxOutputTokens"/> is less.</param>
    /// <param name="seed">Decides the words.</param>
    /// <returns>An answer; its finish reason is <see cref="ChatFinishReason.Length"/>.</returns>
    public static ScriptedAnswer Babbles(int words = 1000, int seed = 0) => new BabblingAnswer(words, seed);

    private static Dictionary<string, object?> Arguments(object? arguments) => arguments switch
    {
        null => [],
        IDictionary<string, object?> dictionary => new(dictionary),
        _ => JsonSerializer.SerializeToElement(arguments, JsonSerializerOptions.Web)
            .EnumerateObject()
            .ToDictionary(p => p.Name, p => (object?)p.Value),
    };

    internal sealed record TextAnswer(string Text) : ScriptedAnswer;

    internal sealed record ToolCallAnswer(IReadOnlyList<(string Tool, Dictionary<string, object?> Arguments)> Requested)
        : ScriptedAnswer;

    internal sealed record FaultAnswer(Exception Error) : ScriptedAnswer;

    internal sealed record HangingAnswer : ScriptedAnswer;

    internal sealed record BabblingAnswer(int Words, int Seed) : ScriptedAnswer;
}

/// <summary>What a <see cref="ScriptedChatClient"/> was asked.</summary>
/// <param name="Index">Number of the call, from 0.</param>
/// <param name="Messages">The prompt.</param>
/// <param name="Options">The options; null where none were given.</param>
public sealed record ScriptedRequest(int Index, IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)
{
    /// <summary>The text of the last message: the cue, in a conversation of agents.</summary>
    public string LastText => Messages.Count == 0 ? "" : Messages[^1].Text;

    /// <summary>All messages, one after another, each headed by its role; for assertions.</summary>
    public string Prompt => string.Join("\n", Messages.Select(m => $"{m.Role}: {m.Text}"));
}
