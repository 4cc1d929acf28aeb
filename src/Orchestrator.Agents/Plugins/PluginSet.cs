using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;

namespace Orchestrator.Agents.Plugins;

/// <summary>A plugin that is open: its functions can be called.</summary>
internal sealed record OpenPlugin(PluginManifest Manifest, KernelPlugin Plugin, Func<ValueTask>? CloseAsync = null);

/// <summary>The plugins of one run, open until the set is disposed.</summary>
public sealed class PluginSet : IAsyncDisposable
{
    private readonly IReadOnlyList<OpenPlugin> _open;
    private readonly Dictionary<string, ToolPolicy> _policies;

    internal PluginSet(IReadOnlyList<OpenPlugin> open, Func<string, string, ToolPolicy, ToolPolicy> adjust)
    {
        _open = open;
        _policies = open
            .SelectMany(o => o.Plugin, (o, f) => (
                Tool: $"{o.Plugin.Name}-{f.Name}",
                Policy: adjust(o.Plugin.Name, f.Name, o.Manifest.Functions.GetValueOrDefault(f.Name) ?? o.Manifest.Policy)))
            .ToDictionary(p => p.Tool, p => p.Policy, StringComparer.Ordinal);
    }

    /// <summary>The plugins.</summary>
    public IReadOnlyList<KernelPlugin> Plugins => [.. _open.Select(o => o.Plugin)];

    /// <summary>The names of all functions as <c>plugin-function</c>, in order.</summary>
    public IReadOnlyCollection<string> Tools => _policies.Keys;

    /// <summary>The rules for a tool; those for a stranger are the strictest.</summary>
    /// <param name="tool">The tool, as <c>plugin-function</c>.</param>
    /// <returns>The rules.</returns>
    public ToolPolicy PolicyOf(string tool) => _policies.GetValueOrDefault(tool) ?? new ToolPolicy();

    /// <summary>Closes all plugins: ends servers, disposes instances, unloads assemblies.</summary>
    /// <returns>When all are closed.</returns>
    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open)
        {
            if (open.CloseAsync is { } close)
            {
                await close().ConfigureAwait(false);
            }
        }
    }
}
