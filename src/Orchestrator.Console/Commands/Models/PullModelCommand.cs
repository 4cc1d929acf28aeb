using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
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
            "Fetch a model, or an adapter. A pull that was stopped goes on where it was.",
            "orchestrator model pull smollm2-135m",
            "orchestrator model pull Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
            "HF_ENDPOINT=https://mirror.example HF_TOKEN=… orchestrator model pull llama-3.2-1b") => Add(_source);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<ModelStore>();
        var source = parse.GetValue(_source) ?? store.Catalogue.Proposed?.Name ?? "";
        var record = await services.PullModelAsync(source, cancellationToken);
        if (interaction.Json)
        {
            interaction.WriteJson(StoredModelJson.Of(record));
            return ExitCodes.Ok;
        }

        interaction.WriteLine(Describe(record));
        foreach (var file in record.Files)
        {
            interaction.WriteLine($"SHA-256 {file.Sha256}");
        }

        return ExitCodes.Ok;
    }
}
