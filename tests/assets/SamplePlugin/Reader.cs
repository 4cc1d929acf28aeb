using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace SamplePlugin;

/// <summary>Needs a folder of the team where the run tells it to.</summary>
public sealed class Reader
{
    private readonly string _folder;

    public Reader(PluginContext context) =>
        _folder = context.Inputs.ContainsKey("shelf") ? context.InputFolder("shelf") : context.Root;

    [KernelFunction("count")]
    public int Count() => Directory.GetFiles(_folder).Length;
}
