using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Hosting;

/// <summary>Registers local models.</summary>
public static class InferenceServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ModelHost"/>, and the configured model as <see cref="IChatClient"/>, <see cref="IChoiceScorer"/> and
    /// embedding generator. The model is loaded when one of them is first asked for; to see progress or to cancel, call
    /// <see cref="ModelHost.LoadAsync"/> before.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options; validated when the host starts.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddOrchestratorInference(
        this IServiceCollection services, Action<InferenceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddLogging();
        services.AddOptions<InferenceOptions>().ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.AddModelStore();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ModelProbe>();
        services.TryAddSingleton<ModelHost>();
        services.TryAddSingleton<ModelBenchmark>();
        services.TryAddSingleton<DecisionMeasurement>();
        services.TryAddSingleton<IChatClient>(provider => Loaded(provider).Chat);
        services.TryAddSingleton(provider => Loaded(provider).Embeddings!);
        services.TryAddSingleton<IChoiceScorer>(provider => Loaded(provider).Scorer);
        return services;
    }

    private static LoadedModel Loaded(IServiceProvider provider) =>
        provider.GetRequiredService<ModelHost>().LoadAsync().GetAwaiter().GetResult();
}
