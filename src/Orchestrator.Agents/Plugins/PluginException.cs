using Orchestrator.Core;

namespace Orchestrator.Agents.Plugins;

/// <summary>A plugin cannot be used.</summary>
public sealed class PluginException : OrchestratorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="plugin">The plugin's name.</param>
    /// <param name="message">What is wrong, without the plugin's name.</param>
    /// <param name="remedy">What to do about it.</param>
    /// <param name="inner">The cause.</param>
    public PluginException(string plugin, string message, string? remedy = null, Exception? inner = null)
        : base(ErrorKind.Configuration, $"The plugin '{plugin}' can't be used: {message}", remedy, inner) => Plugin = plugin;

    /// <summary>The plugin's name.</summary>
    public string Plugin { get; }
}
