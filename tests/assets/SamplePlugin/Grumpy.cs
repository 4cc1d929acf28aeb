using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace SamplePlugin;

/// <summary>Refuses to be made where the run tells it to.</summary>
public sealed class Grumpy
{
    public Grumpy(PluginContext context)
    {
        if (context.Inputs.ContainsKey("grumpy"))
        {
            throw new InvalidOperationException("not today");
        }
    }

    [KernelFunction("mood")]
    public string Mood() => "fine";
}
