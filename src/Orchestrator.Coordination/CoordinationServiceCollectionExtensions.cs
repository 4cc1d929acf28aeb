using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orchestrator.Coordination.Running;

namespace Orchestrator.Coordination;

/// <summary>Registers what runs teams.</summary>
public static class CoordinationServiceCollectionExtensions
{
    /// <summary>Adds the <see cref="TeamRunner"/>.</summary>
    /// <param name="services">
    /// The services; they are to hold an <see cref="Core.Prompts.IPromptRenderer"/> and logging. A
    /// <see cref="TimeProvider"/> in them is used.
    /// </param>
    /// <param name="configure">Sets the options, or null for the defaults.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrchestratorCoordination(
        this IServiceCollection services, Action<CoordinationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<CoordinationOptions>()
            .Configure(options => configure?.Invoke(options))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TeamRunner>();
        return services;
    }
}
