using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Orchestrator.Core.Models;

/// <summary>
/// What comes back from a model call beyond chat: enough to replay it without a model, to train on it, and to say
/// what it cost. It travels on the response, and on the last update of a streaming response.
/// </summary>
public sealed record ModelCall
{
    private const string CallKey = "orchestrator.call";
    private const string TokensKey = "orchestrator.tokens";

    /// <summary>The model's name, as its file states it.</summary>
    public string? Model { get; init; }

    /// <summary>SHA-256 of the prompt's token ids (little-endian 32-bit), in lower-case hexadecimal.</summary>
    public string? PromptHash { get; init; }

    /// <summary>The ids of the answer's tokens, the end token included, in order.</summary>
    public IReadOnlyList<int> TokenIds { get; init; } = [];

    /// <summary>
    /// The ids that the answer's text was generated as, without the end token: what a transcript keeps, so that a later
    /// prompt finds the KV cache. Null where the text is not what the ids decode to (a stop sequence cut it, or it
    /// holds tool calls or reasoning).
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<int>? AnswerTokenIds { get; init; }

    /// <summary>
    /// Natural-log probability of each answer token under the model's own distribution (temperature 1, no
    /// truncation, before constraints); NaN for tokens that were forced without being evaluated.
    /// </summary>
    public IReadOnlyList<float> LogProbabilities { get; init; } = [];

    /// <summary>The answer's tokens as text; only where <see cref="ModelRequest.TopLogProbabilities"/> asks for them.</summary>
    [JsonIgnore]
    public IReadOnlyList<TokenDetail>? Tokens { get; init; }

    /// <summary>The seed that sampling started from.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Prompt tokens that had to be computed.</summary>
    public int ComputedTokens { get; init; }

    /// <summary>Prompt tokens whose KV cache was found.</summary>
    public int ReusedTokens { get; init; }

    /// <summary>
    /// How much of the prompt that was read came from the cache, 0 to 1; null where none of it was read, since the answer
    /// was decided and forced to its end.
    /// </summary>
    [JsonIgnore]
    public double? ReusedShare =>
        ComputedTokens + ReusedTokens is > 0 and var read ? ReusedTokens / (double)read : null;

    /// <summary>Answer tokens that the constraint left no choice about, appended without sampling.</summary>
    public int ForcedTokens { get; init; }

    /// <summary>Answer tokens that came from an accepted draft.</summary>
    public int DraftTokens { get; init; }

    /// <summary>From the request to its first token.</summary>
    public TimeSpan FirstToken { get; init; }

    /// <summary>From the request to its last token.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Puts this record on a response.</summary>
    /// <param name="properties">The response's additional properties; null makes new ones.</param>
    /// <returns>The properties, carrying this record.</returns>
    public AdditionalPropertiesDictionary ApplyTo(AdditionalPropertiesDictionary? properties)
    {
        properties ??= [];
        properties[CallKey] = this;
        return properties;
    }

    /// <summary>Reads the record that a response carries, on itself or on its last message.</summary>
    /// <param name="response">The response.</param>
    /// <returns>The record, or null where the model gives none.</returns>
    public static ModelCall? From(ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return Read(response.AdditionalProperties)
            ?? response.Messages.Reverse().Select(m => Read(m.AdditionalProperties)).FirstOrDefault(c => c is not null);
    }

    /// <summary>Reads the record that an update carries.</summary>
    /// <param name="update">One update of a streaming response.</param>
    /// <returns>The record, or null; only the last update has one.</returns>
    public static ModelCall? From(ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return Read(update.AdditionalProperties);
    }

    /// <summary>
    /// Marks a message with the token ids that its text was generated as, so that a later prompt holds the same ids
    /// and finds its KV cache. Tokenising the text again may give others.
    /// </summary>
    /// <param name="message">A message whose text is exactly what the ids decode to.</param>
    /// <param name="tokenIds">The ids of the text, without the end token.</param>
    public static void SetTokenIds(ChatMessage message, IReadOnlyList<int> tokenIds)
    {
        ArgumentNullException.ThrowIfNull(message);
        (message.AdditionalProperties ??= [])[TokensKey] = tokenIds;
    }

    /// <summary>The token ids that a message's text was generated as, or null.</summary>
    /// <param name="message">The message.</param>
    /// <returns>The ids, without the end token, or null.</returns>
    public static IReadOnlyList<int>? GetTokenIds(ChatMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message.AdditionalProperties?.TryGetValue(TokensKey, out var value) == true
            ? value as IReadOnlyList<int>
            : null;
    }

    private static ModelCall? Read(AdditionalPropertiesDictionary? properties) =>
        properties?.TryGetValue(CallKey, out var value) == true ? value as ModelCall : null;
}

/// <summary>A token of an answer, with those that might have stood in its place.</summary>
/// <param name="Bytes">What it stands for; a part of a character at times.</param>
/// <param name="LogProbability">Natural log of its probability; NaN where it was forced without being evaluated.</param>
/// <param name="Alternatives">The most probable tokens in its place, best first; empty where none were asked for.</param>
public sealed record TokenDetail(
    ReadOnlyMemory<byte> Bytes, float LogProbability, IReadOnlyList<TokenDetail> Alternatives);
