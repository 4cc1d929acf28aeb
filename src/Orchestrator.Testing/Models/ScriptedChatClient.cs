using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Testing.Models;

/// <summary>
/// A chat client that answers at once from a script. It behaves as a model does as far as callers can see: metadata,
/// usage, streaming, a <see cref="ModelCall"/> with token ids (the UTF-8 bytes of the text, then 256 as the end
/// token), tool calls, and faults. Safe to call from several threads.
/// </summary>
public sealed class ScriptedChatClient : IChatClient
{
    private const int EndToken = 256;
    private static readonly string[] Babble = ["well", "indeed", "the", "of", "perhaps", "so", "and", "again", "it", "is"];

    private readonly Func<ScriptedRequest, ScriptedAnswer> _answer;
    private readonly List<ScriptedRequest> _requests = [];
    private readonly Lock _lock = new();
    private int _calls;

    /// <summary>Answers each call by a function of what was asked.</summary>
    /// <param name="answer">The function; called from the calling thread, possibly from several at once.</param>
    public ScriptedChatClient(Func<ScriptedRequest, ScriptedAnswer> answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        _answer = answer;
    }

    /// <summary>Answers the calls in order; a call beyond the last answer fails.</summary>
    /// <param name="answers">The answers.</param>
    public ScriptedChatClient(params IReadOnlyList<ScriptedAnswer> answers)
        : this(request => request.Index < answers.Count
            ? answers[request.Index]
            : throw new InvalidOperationException(
                $"The script has {answers.Count} answers, and this is call {request.Index + 1}:\n{request.LastText}"))
    {
    }

    /// <summary>Answers the calls in order with texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <returns>A client.</returns>
    public static ScriptedChatClient Saying(params IReadOnlyList<string> texts) =>
        new([.. texts.Select(ScriptedAnswer.Says)]);

    /// <summary>What choices get; null makes the client one that offers no likelihoods.</summary>
    public IChoiceScorer? ChoiceScorer { get; init; }

    /// <summary>The model's name in the metadata and the call records.</summary>
    public string Model { get; init; } = "scripted";

    /// <summary>Whether responses carry a <see cref="ModelCall"/>.</summary>
    public bool ReportsModelCalls { get; init; } = true;

    /// <summary>Whether <see cref="Requests"/> is kept; off for long runs, whose prompts would pile up.</summary>
    public bool KeepsRequests { get; init; } = true;

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>How many calls there were.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var request = Record(messages, options);
        var answer = _answer(request);
        switch (answer)
        {
            case ScriptedAnswer.FaultAnswer fault:
                throw fault.Error;
            case ScriptedAnswer.HangingAnswer:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                throw new OperationCanceledException(cancellationToken);
            case ScriptedAnswer.ToolCallAnswer calls:
                var contents = calls.Requested.Select((c, i) =>
                    (AIContent)new FunctionCallContent($"call-{request.Index}-{i}", c.Tool, c.Arguments));
                return Respond(request, [.. contents], "", ChatFinishReason.ToolCalls);
            case ScriptedAnswer.BabblingAnswer babble:
                var nonsense = Nonsense(babble, options);
                return Respond(request, [new TextContent(nonsense)], nonsense, ChatFinishReason.Length);
            case ScriptedAnswer.TextAnswer text:
                return Respond(request, [new TextContent(text.Text)], text.Text, ChatFinishReason.Stop);
            default:
                throw new InvalidOperationException("The script gave no answer.");
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var content in response.Messages[0].Contents)
        {
            if (content is not TextContent text)
            {
                yield return Update(response, [content]);
                continue;
            }

            foreach (var word in Words(text.Text))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return Update(response, [new TextContent(word)]);
            }
        }

        var last = Update(response, response.Usage is null ? [] : [new UsageContent(response.Usage)]);
        last.FinishReason = response.FinishReason;
        last.AdditionalProperties = response.AdditionalProperties;
        yield return last;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, Model)
            : serviceType == typeof(IChoiceScorer) ? ChoiceScorer
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private ScriptedRequest Record(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        lock (_lock)
        {
            var request = new ScriptedRequest(_calls, KeepsRequests ? [.. prompt] : prompt, options?.Clone());
            _calls++;
            if (KeepsRequests)
            {
                _requests.Add(request);
            }

            return request;
        }
    }

    private ChatResponse Respond(ScriptedRequest request, IList<AIContent> contents, string text, ChatFinishReason reason)
    {
        int[] tokens = [.. Encoding.UTF8.GetBytes(text), EndToken];
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, contents))
        {
            ResponseId = $"response-{request.Index}",
            ModelId = Model,
            FinishReason = reason,
            Usage = new UsageDetails { OutputTokenCount = tokens.Length },
        };
        if (ReportsModelCalls)
        {
            response.AdditionalProperties = new ModelCall
            {
                Model = Model,
                TokenIds = tokens,
                AnswerTokenIds = text.Length == 0 ? null : tokens[..^1],
                Seed = (ulong)(request.Options?.Seed ?? 0),
            }.ApplyTo(null);
        }

        return response;
    }

    private static ChatResponseUpdate Update(ChatResponse response, IList<AIContent> contents) =>
        new(ChatRole.Assistant, contents) { ResponseId = response.ResponseId, ModelId = response.ModelId };

    private static string Nonsense(ScriptedAnswer.BabblingAnswer babble, ChatOptions? options)
    {
        var random = new Random(babble.Seed);
        var words = Math.Min(babble.Words, options?.MaxOutputTokens ?? int.MaxValue);
        return string.Join(' ', Enumerable.Range(0, words).Select(_ => Babble[random.Next(Babble.Length)]));
    }

    private static IEnumerable<string> Words(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var space = text.IndexOf(' ', start);
            var end = space < 0 ? text.Length : space + 1;
            yield return text[start..end];
            start = end;
        }
    }
}
