using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Hosting;

namespace Orchestrator.Console.Hosting;

/// <summary>Loads the model that a command works with.</summary>
internal static class ModelHosting
{
    /// <summary>Adds local models, with the settings of the section <c>Orchestrator</c>.</summary>
    /// <param name="builder">The host that is built.</param>
    /// <param name="model">The model that the command line names, or null.</param>
    public static void AddModel(this HostApplicationBuilder builder, string? model)
    {
        builder.Services.AddOrchestratorInference();
        builder.Services.AddOptions<InferenceOptions>()
            .Bind(builder.Configuration.GetSection("Orchestrator"))
            .Configure(options => options.Model = model ?? options.Model);
    }

    /// <summary>Loads the model with a bar where it takes long.</summary>
    public static async Task<LoadedModel> LoadModelAsync(
        this IServiceProvider services, string? model, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var host = services.GetRequiredService<ModelHost>();
        if (!interaction.Live)
        {
            return await host.LoadAsync(model, progress: null, cancellationToken);
        }

        return await interaction.ProgressAsync(
            "loading the model",
            progress => host.LoadAsync(model, new LoadProgress(progress), cancellationToken));
    }

    private sealed class LoadProgress(IProgress<ProgressReport> progress) : IProgress<float>
    {
        public void Report(float value) => progress.Report(new ProgressReport(value, 1));
    }
}
