using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Orchestrator.Inference.Store;

/// <summary>Registers the model store.</summary>
public static class ModelStoreServices
{
    /// <summary>
    /// Adds the <see cref="ModelStore"/>. The hub and the token default to the environment's HF_ENDPOINT and
    /// HF_TOKEN; proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
    /// </summary>
    /// <param name="services">The services.</param>
    public static IServiceCollection AddModelStore(this IServiceCollection services)
    {
        services.AddOptions<ModelStoreOptions>()
            .Configure<IServiceProvider>(Configure)
            .ValidateDataAnnotations()
            .Validate(o => o.Endpoint.IsAbsoluteUri && o.Endpoint.Scheme is "http" or "https", "The hub's Endpoint (HF_ENDPOINT) must be an http or https address.")
            .ValidateOnStart();
        services.AddHttpClient(ModelStore.HttpClientName, client =>
            {
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.DefaultRequestHeaders.UserAgent.ParseAdd("orchestrator");
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectTimeout = TimeSpan.FromSeconds(15),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            .RemoveAllLoggers();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IStoreFiles, DiskFiles>();
        services.TryAddSingleton(provider => new ModelStore(
            provider.GetRequiredService<IHttpClientFactory>(),
            provider.GetRequiredService<IOptions<ModelStoreOptions>>(),
            provider.GetRequiredService<IStoreFiles>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ModelStore>>()));
        return services;
    }

    /// <summary>The environment first, so that settings win over it. A host without settings is one too.</summary>
    private static void Configure(ModelStoreOptions options, IServiceProvider provider)
    {
        if (Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } endpoint)
        {
            options.Endpoint = Uri.TryCreate(endpoint, UriKind.Absolute, out var address) ? address : new Uri(endpoint, UriKind.Relative);
        }

        if (Environment.GetEnvironmentVariable("HF_TOKEN") is { Length: > 0 } token)
        {
            options.Token = token;
        }

        provider.GetService<IConfiguration>()?.GetSection(ModelStoreOptions.Section).Bind(options);
    }
}
