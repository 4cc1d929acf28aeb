using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Hosting;

/// <summary>Loads the model that a command works with.</summary>
internal static class ModelHosting
{
    /// <summary>Adds local models, with their settings.</summary>
    /// <param name="builder">The host that is built.</param>
    /// <param name="model">The model that the command line names, or null.</param>
    public static void AddModel(this HostApplicationBuilder builder, string? model)
    {
        builder.AddModelStore();
        builder.Services.AddOrchestratorInference();
        builder.Services.AddOptions<InferenceOptions>()
            .Bind(builder.Configuration.GetSection(InferenceOptions.Section))
            .Configure(options =>
            {
                options.Model = model ?? options.Model;
                if (options.ProbeCommand.Count == 0)
                {
                    foreach (var word in OwnCommand())
                    {
                        options.ProbeCommand.Add(word);
                    }
                }
            });
    }

    // This program again, as an executable or as an argument of `dotnet`; nothing where another program hosts it.
    private static IReadOnlyList<string> OwnCommand()
    {
        var program = Assembly.GetEntryAssembly();
        if (program != typeof(ModelHosting).Assembly || Environment.ProcessPath is not { } process)
        {
            return [];
        }

        IReadOnlyList<string> probe = ["model", ProbeModelCommand.CommandName];
        return Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? [process, Path.Combine(AppContext.BaseDirectory, program.GetName().Name + ".dll"), .. probe]
            : [process, .. probe];
    }

    /// <summary>Adds the store, with its paths starting from the root.</summary>
    public static void AddModelStore(this HostApplicationBuilder builder)
    {
        builder.Services.AddModelStore();
        builder.Services.AddOptions<ModelStoreOptions>().PostConfigure<RootFolder>((options, root) =>
        {
            options.Root = root.Resolve(options.Root);
            options.CataloguePath = options.CataloguePath is { Length: > 0 } path ? root.Resolve(path) : null;
        });
    }

    /// <summary>The file of the model that was named, or of the one in the settings, or of the proposed one.</summary>
    /// <exception cref="ModelMissingException">It isn't on this machine.</exception>
    public static string FindModel(this IServiceProvider services, string? named)
    {
        var store = services.GetRequiredService<ModelStore>();
        var text = named ?? services.GetRequiredService<IConfiguration>()["Orchestrator:Model"];
        if (string.IsNullOrWhiteSpace(text))
        {
            return store.Resolve(null);
        }

        var path = services.GetRequiredService<RootFolder>().Resolve(text);
        return File.Exists(path) ? path : store.Resolve(text);
    }

    /// <summary>Loads the model with a bar where it takes long; one that is missing can be pulled before.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="model">What the command line or the team names, or null for the settings' model.</param>
    /// <param name="pull">Whether a missing model is pulled without asking.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    public static async Task<LoadedModel> LoadModelAsync(
        this IServiceProvider services, string? model, bool pull, CancellationToken cancellationToken)
    {
        var file = await services.FindOrPullModelAsync(model, pull, cancellationToken);
        var interaction = services.GetRequiredService<IInteraction>();
        var host = services.GetRequiredService<ModelHost>();
        if (DecisionProfileFile.Read(file).Problem is { } problem)
        {
            interaction.Warning($"{problem} Decisions take the default methods; measure it again: orchestrator model measure");
        }

        if (!interaction.Live)
        {
            return await host.LoadAsync(file, progress: null, cancellationToken);
        }

        return await interaction.ProgressAsync(
            "loading the model",
            progress => host.LoadAsync(file, new LoadProgress(progress), cancellationToken));
    }

    private sealed class LoadProgress(IProgress<ProgressReport> progress) : IProgress<float>
    {
        public void Report(float value) => progress.Report(new ProgressReport(value, 1));
    }
}
