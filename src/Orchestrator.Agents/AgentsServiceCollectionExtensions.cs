using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Prompts;
using Orchestrator.Agents.Teams;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents;

/// <summary>Adds agents to a host.</summary>
public static class AgentsServiceCollectionExtensions
{
    /// <summary>
    /// Adds prompts, teams, plugins and the factory of agents. The settings come from the section
    /// <c>Orchestrator:Agents</c> where the host has a configuration. Without another <see cref="IApprover"/> side
    /// effects are denied.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets what the settings leave out, such as the folders.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddOrchestratorAgents(
        this IServiceCollection services, Action<AgentsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<AgentsOptions>()
            .Configure<IServiceProvider>((o, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(AgentsOptions.Section).Bind(o))
            .ValidateDataAnnotations()
            .Validate(
                o => o.PromptFolders.Concat(o.TeamFolders).Concat(o.PluginFolders).All(Path.IsPathFullyQualified),
                $"The folders of {AgentsOptions.Section} must be absolute paths.")
            .ValidateOnStart();
        if (configure is not null)
        {
            options.PostConfigure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IApprover, NobodyToAsk>();
        services.TryAddSingleton(CreateRedactor);
        services.TryAddSingleton(p => new PromptLibrary(
            [.. Options(p).PromptFolders], p.GetRequiredService<TimeProvider>(), p.GetService<ILogger<PromptLibrary>>()));
        services.TryAddSingleton<IPromptRenderer>(p => p.GetRequiredService<PromptLibrary>());
        services.TryAddSingleton(p => new TeamLibrary(
            [.. Options(p).TeamFolders], p.GetRequiredService<TimeProvider>(), p.GetService<ILogger<TeamLibrary>>()));
        services.TryAddSingleton(p => new PluginCatalogue(Options(p), p, p.GetService<ILoggerFactory>()));
        services.TryAddSingleton<AgentFactory>();
        return services;
    }

    private static AgentsOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<AgentsOptions>>().Value;

    private static SecretRedactor CreateRedactor(IServiceProvider provider)
    {
        var configuration = provider.GetService<IConfiguration>();
        return new SecretRedactor([.. Options(provider).Secrets
            .SelectMany(name => new[] { configuration?[name], Environment.GetEnvironmentVariable(name) })
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)]);
    }
}
