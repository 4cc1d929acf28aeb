using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Tools;

/// <summary>
/// A kernel's function as the model sees it, named <c>plugin-function</c>. Calls go through the kernel, so all its
/// function filters run, and exactly once.
/// </summary>
internal sealed class KernelTool(KernelFunction function, Kernel kernel) : DelegatingAIFunction(function)
{
    public override string Name { get; } = ToolName.Of(function);

    protected override async ValueTask<object?> InvokeCoreAsync(
        AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var id = FunctionInvokingChatClient.CurrentContext?.CallContent.CallId ?? ToolScope.Current?.NextCallId() ?? Name;
        using var call = ToolCall.Enter(id, cancellationToken);
        var result = await function.InvokeAsync(kernel, new KernelArguments(arguments), call.CancellationToken).ConfigureAwait(false);
        return result.GetValue<object>();
    }
}
