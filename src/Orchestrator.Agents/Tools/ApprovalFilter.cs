using Microsoft.SemanticKernel;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents.Tools;

/// <summary>Lets a call with side effects through only where it is approved.</summary>
internal sealed class ApprovalFilter(
    string agent, Func<string, ToolPolicy> policies, Approvals approvals, IRunJournal? journal, SecretRedactor redactor)
    : IFunctionInvocationFilter
{
    public async Task OnFunctionInvocationAsync(
        FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
    {
        var tool = ToolName.Of(context.Function);
        var policy = policies(tool);
        if (policy.NeedsApproval(context.Arguments) && policy.Approval != Approval.Always)
        {
            if (policy.Approval == Approval.Never)
            {
                throw new ToolDeniedException(tool, "the settings forbid it");
            }

            await AskAsync(context, tool).ConfigureAwait(false);
        }

        await next(context).ConfigureAwait(false);
    }

    private async Task AskAsync(FunctionInvocationContext context, string tool)
    {
        var request = new ApprovalRequest(
            agent, tool, context.Function.Description, redactor.Redact(ToolText.Arguments(context.Arguments)));
        var (answer, isNew) = await approvals.AskAsync(request, context.CancellationToken).ConfigureAwait(false);
        if (isNew && journal is not null)
        {
            var decision = answer switch
            {
                ApprovalAnswer.Once => "once",
                ApprovalAnswer.Always => "always",
                ApprovalAnswer.Never => "never",
                _ => "denied",
            };
            await journal.AppendAsync(new ApprovalGiven(tool, decision) { Agent = agent }, context.CancellationToken).ConfigureAwait(false);
        }

        if (answer is not (ApprovalAnswer.Once or ApprovalAnswer.Always))
        {
            throw new ToolDeniedException(
                tool, answer == ApprovalAnswer.Never ? "it was not approved" : "it needs approval, and nobody can be asked");
        }
    }
}
