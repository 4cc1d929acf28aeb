using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model verify</c>.</summary>
internal sealed class VerifyModelsCommand : ModelStoreCommand
{
    private readonly Argument<string?> _name = new("name")
    {
        Description = "The model's name. Default: all models on this machine.",
        HelpName = "NAME",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public VerifyModelsCommand()
        : base(
            "verify",
            "Compare models with their recorded SHA-256, and try each in a process of its own.",
            "orchestrator model verify",
            "orchestrator model verify smollm2-135m --json") => Add(_name);

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddModel(null);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var probe = services.GetRequiredService<ModelProbe>();
        var store = services.GetRequiredService<ModelStore>();
        IReadOnlyList<string> names = parse.GetValue(_name) is { } one ? [one] : [.. store.List().Select(record => record.Name)];
        if (names.Count == 0)
        {
            interaction.WriteLine($"There is no model in {store.Root} yet.");
        }

        var exit = ExitCodes.Ok;
        foreach (var name in names)
        {
            var (error, remedy) = ((string?)null, (string?)null);
            try
            {
                var record = await store.VerifyAsync(name, cancellationToken);
                if (record.Adapter is null)
                {
                    await probe.TryAsync(GgufReader.ReadModel(record.Path, cancellationToken), null, cancellationToken);
                }
            }
            catch (OrchestratorException e) when (e.Kind == ErrorKind.Model)
            {
                (error, remedy) = (e.Message, e.Remedy);
                exit = ExitCodes.Model;
            }

            if (interaction.Json)
            {
                interaction.WriteJson(new { Name = name, Sound = error is null, Error = error, Remedy = remedy });
            }
            else if (error is null)
            {
                interaction.WriteLine($"{name}: sound");
            }
            else
            {
                interaction.Error(error, remedy);
            }
        }

        return exit;
    }
}
