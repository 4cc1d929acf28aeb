using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;

namespace Orchestrator.Coordination.Protocols;

/// <summary>A group chat in which the members speak in their order.</summary>
public sealed class RoundRobinChat : GroupChat
{
    /// <inheritdoc/>
    protected override ValueTask<IAgent?> ChooseAsync(
        Conversation conversation,
        Transcript transcript,
        IReadOnlyList<IAgent> candidates,
        bool mayEnd,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        return ValueTask.FromResult<IAgent?>(candidates[0]);
    }
}
