using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Tools;

/// <summary>
/// The innermost filter: abandons a function that doesn't return by its deadline, or when the turn is cancelled. The
/// function is asked to stop; one that doesn't listen goes on in the background, and its result is thrown away.
/// </summary>
internal sealed class DeadlineFilter(Func<string, ToolPolicy> policies, TimeProvider timeProvider) : IFunctionInvocationFilter
{
    public async Task OnFunctionInvocationAsync(
        FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
    {
        var tool = ToolName.Of(context.Function);
        var deadline = policies(tool).Deadline;
        var callerToken = ToolCall.Current?.CallerToken ?? context.CancellationToken;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(callerToken);

        // On another thread: a function that blocks must not block its caller.
        var work = Task.Run(() => next(context), callerToken);
        var finished = await Task.WhenAny(work, Task.Delay(deadline, timeProvider, waiting.Token)).ConfigureAwait(false);
        if (finished == work)
        {
            await waiting.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
            return;
        }

        _ = work.ContinueWith(
            t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        ToolCall.Current?.Abandon();
        callerToken.ThrowIfCancellationRequested();
        throw new ToolDeadlineException(tool, deadline);
    }
}
