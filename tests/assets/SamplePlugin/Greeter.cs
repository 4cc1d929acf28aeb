using System.ComponentModel;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace SamplePlugin;

/// <summary>What a plugin's author writes: methods, and a constructor that asks for the run's context.</summary>
public sealed class Greeter(PluginContext context)
{
    [KernelFunction("greet"), Description("Greets somebody.")]
    public string Greet(string name) => $"Hello {name} from {context.Inputs["place"]}";

    [KernelFunction("year"), Description("Tells the year.")]
    public int Year() => context.TimeProvider.GetUtcNow().Year;
}
