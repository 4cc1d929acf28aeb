using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model pull</c>.</summary>
internal sealed class PullModelCommand : ModelStoreCommand
{
    private readonly Argument<string?> _source = new("model")
    {
        Description = "A name from `model list --all`, OWNER/REPO/FILE.gguf on the hub, or an address. Default: the proposed model.",
        HelpName = "NAME|SOURCE",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public PullModelCommand()
        : base(
            "pull",
            "Fetch a model. A pull that was stopped goes on where it was.",
            "orchestrator model pull smollm2-135m",
            "orchestrator model pull Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
            "HF_ENDPOINT=https://mirror.example HF_TOKEN=… orchestrator model pull llama-3.2-1b") => Add(_source);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<ModelStore>();
        var source = parse.GetValue(_source) ?? store.Catalogue.Proposed?.Name ?? "";
        var record = await interaction.ProgressAsync(
            source, bar => store.PullAsync(source, new PullBar(bar, interaction), cancellationToken));
        if (interaction.Json)
        {
            interaction.WriteJson(StoredModelJson.Of(record));
            return ExitCodes.Ok;
        }

        interaction.WriteLine($"{record.Name}: {ByteSize.Format(record.Bytes)} at {record.Path}");
        foreach (var file in record.Files)
        {
            interaction.WriteLine($"SHA-256 {file.Sha256}");
        }

        return ExitCodes.Ok;
    }

    /// <summary>Draws a pull's progress; what interrupts it is said once in words where there is no bar.</summary>
    private sealed class PullBar(IProgress<ProgressReport> bar, IInteraction interaction) : IProgress<PullProgress>
    {
        private const double MegaByte = 1e6;
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

            var rate = value.BytesPerSecond > 0 ? $" {value.BytesPerSecond / MegaByte:0.0} MB/s" : "";
            bar.Report(new ProgressReport(
                value.Bytes / MegaByte,
                value.Total / MegaByte,
                value.Stage switch
                {
                    PullStage.Waiting => "MB, waiting for another process",
                    PullStage.Retrying => "MB, trying again",
                    PullStage.Verifying => "MB, checking",
                    _ => "MB" + rate,
                }));
        }
    }
}
