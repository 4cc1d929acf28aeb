using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Runs;

namespace Orchestrator.Console.Commands.Runs;

/// <summary><c>orchestrator runs delete</c>.</summary>
internal sealed class DeleteRunsCommand : RunStoreCommand
{
    private readonly Argument<string[]> _runs = new("run")
    {
        Description = RunHelp,
        HelpName = "RUN",
        Arity = ArgumentArity.OneOrMore,
    };

    public DeleteRunsCommand()
        : base(
            "delete",
            "Delete runs with their logs and all that they wrote to their own folders.",
            "orchestrator runs delete 0a1b2c",
            "orchestrator runs delete 20260131-235959-123-0a1b2c 4d5e6f") => Add(_runs);

    public override Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<RunStore>();

        // All names first: a wrong one is to be found before anything is gone.
        foreach (var id in parse.GetRequiredValue(_runs).Select(store.Resolve).Distinct().ToArray())
        {
            cancellationToken.ThrowIfCancellationRequested();
            store.Delete(id);
            if (interaction.Json)
            {
                interaction.WriteJson(new DeletedJson(id));
            }
            else
            {
                interaction.WriteLine($"{id} is deleted.");
            }
        }

        return Task.FromResult(ExitCodes.Ok);
    }

    private sealed record DeletedJson(string Deleted);
}
