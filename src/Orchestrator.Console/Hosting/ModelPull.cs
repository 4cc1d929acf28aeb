using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Hosting;

/// <summary>Pulls models with a bar, by command or when one turns out to be missing.</summary>
internal static class ModelPull
{
    /// <summary>Pulls a model and shows how far it is.</summary>
    public static Task<ModelRecord> PullModelAsync(this IServiceProvider services, string source, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<ModelStore>();
        return interaction.ProgressAsync(source, bar => store.PullAsync(source, new PullBar(bar, interaction), cancellationToken));
    }

    /// <summary>The file of the model to use; where it is missing and can be pulled, a person is asked whether to.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="model">What the command line or the team names, or null for the settings' model.</param>
    /// <param name="yes">Whether to pull without asking.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    /// <exception cref="ModelMissingException">There is none, and nobody wants it pulled.</exception>
    public static async Task<string> FindOrPullModelAsync(
        this IServiceProvider services, string? model, bool yes, CancellationToken cancellationToken)
    {
        try
        {
            return services.FindModel(model);
        }
        catch (ModelMissingException missing) when (missing.Proposed is { } entry)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            if (!yes && !interaction.Interactive)
            {
                throw;
            }

            interaction.MarkupLine($"{missing.Message} [bold]{entry.Title}[/] can be pulled: {entry.Size}, licence {entry.Licence}.");
            if (!yes && !await interaction.ConfirmAsync($"Pull {entry.Name} now?", cancellationToken))
            {
                throw;
            }

            var record = await services.PullModelAsync(entry.Name, cancellationToken);
            interaction.MarkupLine($"[grey]Pulled to {record.Path}.[/]");
            return record.Path;
        }
    }

    /// <summary>Draws a pull's progress; what interrupts it is said once in words where there is no bar.</summary>
    private sealed class PullBar(IProgress<ProgressReport> bar, IInteraction interaction) : IProgress<PullProgress>
    {
        private const double MebiByte = 1 << 20;
        private PullStage _last = PullStage.Downloading;

        public void Report(PullProgress value)
        {
            if (value.Stage != _last && !interaction.Live && value.Stage is PullStage.Waiting or PullStage.Retrying)
            {
                interaction.WriteLine(value.Stage == PullStage.Waiting
                    ? $"{value.File}: another process fetches it; waiting."
                    : $"{value.File}: the connection was lost; trying again.");
            }

            _last = value.Stage;
            if (!interaction.Live && value.Stage != PullStage.Downloading)
            {
                return;
            }

            var rate = value.BytesPerSecond > 0 ? $" {value.BytesPerSecond / MebiByte:0.0} MiB/s" : "";
            bar.Report(new ProgressReport(
                value.Bytes / MebiByte,
                value.Total / MebiByte,
                value.Stage switch
                {
                    PullStage.Waiting => "MiB, waiting for another process",
                    PullStage.Retrying => "MiB, trying again",
                    PullStage.Verifying => "MiB, checking",
                    _ => "MiB" + rate,
                }));
        }
    }
}
