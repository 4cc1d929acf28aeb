using System.Collections.Concurrent;

namespace Orchestrator.Agents.Tools;

/// <summary>The approvals of one run: asks once for each tool that a person settled for good, and one question at a time.</summary>
internal sealed class Approvals(IApprover approver) : IDisposable
{
    private readonly ConcurrentDictionary<string, ApprovalAnswer> _settled = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <returns>The answer, and whether it was given just now.</returns>
    public async ValueTask<(ApprovalAnswer Answer, bool New)> AskAsync(
        ApprovalRequest request, CancellationToken cancellationToken)
    {
        if (_settled.TryGetValue(request.Tool, out var settled))
        {
            return (settled, false);
        }

        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_settled.TryGetValue(request.Tool, out settled))
            {
                return (settled, false);
            }

            var answer = await approver.AskAsync(request, cancellationToken).ConfigureAwait(false);
            if (answer is ApprovalAnswer.Always or ApprovalAnswer.Never)
            {
                _settled[request.Tool] = answer;
            }

            return (answer, true);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();
}
