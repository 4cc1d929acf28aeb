using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Orchestrator.Runs;

/// <summary>Registers the record of runs.</summary>
public static class RunsServiceCollectionExtensions
{
    /// <summary>Adds the <see cref="RunStore"/>.</summary>
    /// <param name="services">The services; a <see cref="TimeProvider"/> in them is used.</param>
    /// <param name="configure">Sets the options; <see cref="RunsOptions.Root"/> is needed.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddOrchestratorRuns(
        this IServiceCollection services, Action<RunsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<RunsOptions>()
            .Configure(options => configure?.Invoke(options))
            .ValidateDataAnnotations()
            .Validate(o => Path.IsPathFullyQualified(o.Root), "The runs folder (Root) must be an absolute path.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new RunStore(
            provider.GetRequiredService<IOptions<RunsOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
