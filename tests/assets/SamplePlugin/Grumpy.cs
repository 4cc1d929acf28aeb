using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace SamplePlugin;

/// <summary>Refuses to be made, or never comes to an end of it, where the run tells it to.</summary>
public sealed class Grumpy
{
    public Grumpy(PluginContext context)
    {
        if (context.Inputs.ContainsKey("grumpy"))
        {
            throw new InvalidOperationException("not today");
        }

        if (context.Inputs.ContainsKey("sleepy"))
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }

    [KernelFunction("mood")]
    public string Mood() => "fine";
}
