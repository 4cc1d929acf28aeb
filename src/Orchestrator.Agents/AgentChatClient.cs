using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Agents;

/// <summary>Puts an agent's name on calls that don't carry one, as those of prompt functions.</summary>
internal sealed class AgentChatClient(IChatClient inner, string agent) : DelegatingChatClient(inner)
{
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetResponseAsync(messages, Stamp(options), cancellationToken);

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var update in base.GetStreamingResponseAsync(messages, Stamp(options), cancellationToken).ConfigureAwait(false))
        {
            yield return update;
        }
    }

    /// <summary>Leaves the model alone: it is not this one's.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private ChatOptions Stamp(ChatOptions? options) =>
        ModelRequest.From(options) is { Agent: null } request ? (request with { Agent = agent }).ApplyTo(options) : options!;
}
