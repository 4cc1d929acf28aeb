using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Text;
using FunctionInvocationContext = Microsoft.SemanticKernel.FunctionInvocationContext;

namespace Orchestrator.Agents.Tools;

/// <summary>
/// The outermost filter: records each call before and after it, and turns what a tool throws into a result that the
/// model can read. Secrets are taken out of what is recorded.
/// </summary>
internal sealed class ToolJournalFilter(
    string agent, IRunJournal? journal, TimeProvider timeProvider, SecretRedactor redactor, int maxResultLength)
    : IFunctionInvocationFilter
{
    public async Task OnFunctionInvocationAsync(
        FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
    {
        var scope = ToolScope.Current;
        var tool = ToolName.Of(context.Function);
        var arguments = ToolText.Arguments(context.Arguments);
        if (scope?.Repeated(tool, arguments) is { } earlier)
        {
            // The agent ends its calls here, so nothing can have changed the answer since.
            context.Result = new FunctionResult(context.Function, $"{earlier.Result}\n(The same call as before, with the same answer.)");
            End(scope);
            return;
        }

        using var call = ToolCall.Claim(scope?.NextCallId() ?? tool, context.CancellationToken);
        await AppendAsync(scope, new ToolCalled(call.Id, tool, redactor.Redact(arguments)) { Agent = agent }).ConfigureAwait(false);

        var started = timeProvider.GetTimestamp();
        var (text, failed) = ("", false);
        try
        {
            await next(context).ConfigureAwait(false);
            text = ToolText.Shorten(ToolText.Result(context.Result), maxResultLength);
        }
        catch (OperationCanceledException) when (call.CallerToken.IsCancellationRequested)
        {
            await AppendAsync(scope, Returned("cancelled", true)).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            (text, failed) = (ToolText.Error(e), true);
        }

        context.Result = new FunctionResult(context.Function, failed ? $"failed: {text}" : text);
        await AppendAsync(scope, Returned(text, failed)).ConfigureAwait(false);
        if (!call.IsNested)
        {
            scope?.Add(new ToolResult(tool, arguments, text, failed));
            End(scope);
        }

        static void End(ToolScope? scope)
        {
            if (scope?.StopsAfterCalls == true && FunctionInvokingChatClient.CurrentContext is { } chat)
            {
                chat.Terminate = true;
            }
        }

        ToolReturned Returned(string result, bool hasFailed) =>
            new(call.Id, tool, redactor.Redact(result), hasFailed, timeProvider.GetElapsedTime(started)) { Agent = agent };
    }

    private async ValueTask AppendAsync(ToolScope? scope, RunEvent runEvent)
    {
        if (journal is null)
        {
            return;
        }

        try
        {
            // Not cancelled with the call: what happened is to be on record.
            await journal.AppendAsync(runEvent, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A log that can't be written ends the run; without this the model would be told of a tool that failed.
            if (scope is not null)
            {
                scope.Fatal = e;
            }

            throw;
        }
    }
}
