using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>What a plugin's constructor may take: its run's context, the clock, and the host's services.</summary>
internal sealed class PluginServices(PluginContext context, IServiceProvider services) : IServiceProvider
{
    public object? GetService(Type serviceType) =>
        serviceType == typeof(PluginContext) ? context
        : serviceType == typeof(TimeProvider) ? context.TimeProvider
        : services.GetService(serviceType);
}
