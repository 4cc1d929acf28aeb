using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Models;

/// <summary>
/// Records each answer of a model, and each choice that its scorer decides, in a run's journal. It sits right above
/// the model, so that nothing that asks the model escapes the record.
/// </summary>
public sealed class JournalingChatClient : DelegatingChatClient
{
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };
    private readonly IRunJournal _journal;
    private readonly JournalingChoiceScorer _scorer;

    /// <summary>Wraps a model's client for one run.</summary>
    /// <param name="inner">The client; not disposed with this one, since it outlives the run.</param>
    /// <param name="journal">The run's journal.</param>
    public JournalingChatClient(IChatClient inner, IRunJournal journal)
        : base(inner)
    {
        ArgumentNullException.ThrowIfNull(journal);
        _journal = journal;
        _scorer = new JournalingChoiceScorer(
            inner.GetService<IChoiceScorer>() ?? new GeneratedChoiceScorer(this), journal);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        await RecordAsync(response, options, response.FinishReason?.Value).ConfigureAwait(false);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var updates = new List<ChatResponseUpdate>();
        var whole = false;
        try
        {
            await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken)
                .ConfigureAwait(false))
            {
                updates.Add(update);
                yield return update;
            }

            whole = true;
        }
        finally
        {
            // An answer that was cut off was acted on all the same: somebody saw its first words.
            if (whole || updates.Count > 0)
            {
                var response = updates.ToChatResponse();
                await RecordAsync(response, options, whole ? response.FinishReason?.Value : "interrupted").ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType == typeof(IChoiceScorer)
            ? _scorer
            : base.GetService(serviceType, serviceKey);
    }

    /// <summary>Leaves the model's client alone.</summary>
    /// <param name="disposing">Ignored.</param>
    protected override void Dispose(bool disposing)
    {
    }

    private async ValueTask RecordAsync(ChatResponse response, ChatOptions? options, string? finishReason)
    {
        var request = ModelRequest.From(options);
        var calls = response.Messages
            .SelectMany(m => m.Contents)
            .OfType<FunctionCallContent>()
            .Select(c => new ToolRequest(c.CallId, c.Name, Arguments(c)))
            .ToArray();

        // Not cancelled with the call: the model has answered, and the record is to say so.
        await _journal.AppendAsync(
            new ModelCalled(
                response.Text,
                ModelCall.From(response),
                finishReason,
                request.Adapters.Count == 0 ? null : request.Adapters,
                calls.Length == 0 ? null : calls)
            {
                Agent = request.Agent,
            },
            CancellationToken.None).ConfigureAwait(false);
    }

    private static JsonElement Arguments(FunctionCallContent call) => JsonSerializer.SerializeToElement(
        call.Arguments ?? new Dictionary<string, object?>(), Compact);
}
