using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>The plugins that ship with Orchestrator.</summary>
internal static class BuiltInPlugins
{
    private static readonly ToolPolicy Harmless = new() { SideEffects = SideEffects.None, Deadline = TimeSpan.FromSeconds(10) };

    public static IReadOnlyList<BuiltInPlugin> All { get; } =
    [
        new(
            Manifest("files", "Lists, reads and writes files below the working folder, the team's inputs and the run's output folder.", Harmless),
            context => new FilesPlugin(RootedFolders.Of(context), context),
            ("write", context => new ToolPolicy { StaysInOutput = new FilesPlugin(RootedFolders.Of(context), context).StaysInOutput })),
        new(
            Manifest("math", "Computes expressions.", Harmless),
            _ => new MathPlugin()),
        new(
            Manifest("search", "Finds lines in text files.", Harmless with { Deadline = TimeSpan.FromSeconds(30) }),
            context => new SearchPlugin(RootedFolders.Of(context))),
        new(
            Manifest("shell", "Runs commands of the system's shell.", new ToolPolicy { Deadline = TimeSpan.FromSeconds(90) }) with { Enabled = false },
            context => new ShellPlugin(context)),
        new(
            Manifest("time", "Tells the time and computes with dates.", Harmless),
            context => new TimePlugin(context.TimeProvider)),
    ];

    private static PluginManifest Manifest(string name, string description, ToolPolicy policy) => new()
    {
        Name = name,
        Description = description,
        Kind = PluginKind.BuiltIn,
        Policy = policy,
    };
}

/// <summary>A plugin that ships with Orchestrator.</summary>
internal sealed record BuiltInPlugin(
    PluginManifest Manifest,
    Func<PluginContext, object> Create,
    params IReadOnlyList<(string Function, Func<PluginContext, ToolPolicy> Policy)> Policies)
{
    public OpenPlugin Open(PluginContext context)
    {
        var manifest = Manifest with { Functions = Policies.ToDictionary(p => p.Function, p => p.Policy(context)) };
        var functions = KernelPluginFactory.CreateFromObject(Create(context), manifest.Name);
        return new OpenPlugin(manifest, KernelPluginFactory.CreateFromFunctions(manifest.Name, manifest.Description, functions));
    }
}
