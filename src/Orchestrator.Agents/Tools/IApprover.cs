using System.Text.Json;

namespace Orchestrator.Agents.Tools;

/// <summary>A call that a person is asked about.</summary>
/// <param name="Agent">Who wants to call.</param>
/// <param name="Tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="Description">What the tool does.</param>
/// <param name="Arguments">What it would be called with, secrets redacted.</param>
public sealed record ApprovalRequest(string Agent, string Tool, string Description, JsonElement Arguments);

/// <summary>What a person answered.</summary>
public enum ApprovalAnswer
{
    /// <summary>Nobody could be asked; the call is denied.</summary>
    Nobody,

    /// <summary>This call may go ahead.</summary>
    Once,

    /// <summary>This and all further calls of the tool in this run may go ahead.</summary>
    Always,

    /// <summary>Neither this nor any further call of the tool in this run.</summary>
    Never,
}

/// <summary>Asks a person to approve a side effect. Calls come one at a time.</summary>
public interface IApprover
{
    /// <summary>Asks.</summary>
    /// <param name="request">What is asked about.</param>
    /// <param name="cancellationToken">Stops the question.</param>
    /// <returns>The answer.</returns>
    ValueTask<ApprovalAnswer> AskAsync(ApprovalRequest request, CancellationToken cancellationToken = default);
}

/// <summary>Denies everything: there is nobody to ask.</summary>
public sealed class NobodyToAsk : IApprover
{
    /// <inheritdoc/>
    public ValueTask<ApprovalAnswer> AskAsync(ApprovalRequest request, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(ApprovalAnswer.Nobody);
}
