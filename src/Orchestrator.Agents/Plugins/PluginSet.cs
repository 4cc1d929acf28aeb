using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;

namespace Orchestrator.Agents.Plugins;

/// <summary>A plugin that is open: its functions can be called.</summary>
internal sealed record OpenPlugin(PluginManifest Manifest, KernelPlugin Plugin, Func<ValueTask>? CloseAsync = null);

/// <summary>The plugins of one run, open until the set is disposed.</summary>
public sealed partial class PluginSet : IAsyncDisposable
{
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<OpenPlugin> _open;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Dictionary<string, ToolPolicy> _policies;

    internal PluginSet(
        IReadOnlyList<OpenPlugin> open, Func<string, string, ToolPolicy, ToolPolicy> adjust, TimeProvider clock, ILogger logger)
    {
        _open = open;
        _clock = clock;
        _logger = logger;
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

    /// <summary>
    /// Closes all plugins: ends servers, disposes instances, unloads assemblies. One that does not return within 10 s is
    /// abandoned, with a warning in the log.
    /// </summary>
    /// <returns>When all are closed or abandoned.</returns>
    public async ValueTask DisposeAsync()
    {
        foreach (var trouble in await CloseAsync().ConfigureAwait(false))
        {
            LogTrouble(trouble);
        }
    }

    /// <summary>Closes all plugins.</summary>
    /// <returns>A sentence for each that did not close.</returns>
    internal async Task<IReadOnlyList<string>> CloseAsync()
    {
        var troubles = await Task.WhenAll(_open.Select(CloseAsync)).ConfigureAwait(false);
        return [.. troubles.OfType<string>()];
    }

    private async Task<string?> CloseAsync(OpenPlugin open)
    {
        if (open.CloseAsync is not { } close)
        {
            return null;
        }

        // On another thread: a Dispose that blocks must not block its caller.
        var closing = Task.Run(() => close().AsTask());
        try
        {
            await closing.WaitAsync(CloseDeadline, _clock).ConfigureAwait(false);
            return null;
        }
        catch (TimeoutException) when (!closing.IsCompleted)
        {
            return $"The plugin '{open.Manifest.Name}' did not close within {CloseDeadline.TotalSeconds:0} s and was abandoned.";
        }
        catch (Exception e)
        {
            return $"The plugin '{open.Manifest.Name}' failed to close: {e.GetType().Name}: {e.Message}";
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Trouble}")]
    private partial void LogTrouble(string trouble);
}
