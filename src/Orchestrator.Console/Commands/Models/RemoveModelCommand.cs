using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model remove</c>.</summary>
internal sealed class RemoveModelCommand : ModelStoreCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The model's name.", HelpName = "NAME" };

    public RemoveModelCommand()
        : base(
            "remove",
            "Forget a model, and delete its files where the store keeps them. A file that was added by path is left alone.",
            "orchestrator model remove qwen3-4b") => Add(_name);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var record = await services.GetRequiredService<ModelStore>().RemoveAsync(parse.GetRequiredValue(_name), cancellationToken);
        if (interaction.Json)
        {
            interaction.WriteJson(StoredModelJson.Of(record));
        }
        else
        {
            interaction.WriteLine(record.Exists
                ? $"{record.Name} is forgotten; its file stays at {record.Path}"
                : $"{record.Name} is removed; {ByteSize.Format(record.Bytes)} are free again.");
        }

        return ExitCodes.Ok;
    }
}
