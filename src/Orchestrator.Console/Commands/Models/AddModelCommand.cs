using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model add</c>.</summary>
internal sealed class AddModelCommand : ModelStoreCommand
{
    private readonly Argument<string> _path = new("path") { Description = "A GGUF file, or the first part of a split one.", HelpName = "PATH" };
    private readonly Option<string?> _name = new("--name", "-n") { Description = "The name to use it by. Default: the file's." };
    private readonly Option<bool> _copy = new("--copy") { Description = "Copy the file into the store. Without it, the file stays where it is." };

    public AddModelCommand()
        : base("add", "Give a name to a model, or an adapter, that is on this machine.", "orchestrator model add ./model.gguf --name small", "orchestrator model add ./tone.lora.gguf --name tone")
    {
        Add(_path);
        Add(_name);
        Add(_copy);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddModel(null);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var path = services.GetRequiredService<RootFolder>().Resolve(parse.GetRequiredValue(_path));
        var model = GgufReader.ReadModel(path, cancellationToken);
        if (AdapterInfo.Of(model.Parts[0]) is null)
        {
            GgufValidator.Validate(model);
            await services.GetRequiredService<ModelProbe>().TryAsync(model, null, cancellationToken);
        }

        var record = await services.GetRequiredService<ModelStore>()
            .AddAsync(path, parse.GetValue(_name), parse.GetValue(_copy), cancellationToken);
        if (interaction.Json)
        {
            interaction.WriteJson(StoredModelJson.Of(record));
        }
        else
        {
            interaction.WriteLine(Describe(record));
        }

        return ExitCodes.Ok;
    }
}
