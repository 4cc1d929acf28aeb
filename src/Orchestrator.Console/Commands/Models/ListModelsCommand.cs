using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model list</c>.</summary>
internal sealed class ListModelsCommand : ModelStoreCommand
{
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Also list the models that can be pulled." };

    public ListModelsCommand()
        : base("list", "List the models on this machine.", "orchestrator model list", "orchestrator model list --all --json") => Add(_all);

    public override Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<ModelStore>();
        var here = store.List();
        var others = parse.GetValue(_all) || here.Count == 0
            ? store.Catalogue.Entries.Where(entry => here.All(record => !record.Name.Equals(entry.Name, StringComparison.OrdinalIgnoreCase))).ToList()
            : [];
        if (interaction.Json)
        {
            foreach (var model in here.Select(StoredModelJson.Of).Concat(others.Select(StoredModelJson.Of)))
            {
                interaction.WriteJson(model);
            }

            return Task.FromResult(ExitCodes.Ok);
        }

        if (here.Count == 0)
        {
            interaction.WriteLine($"There is no model in {store.Root} yet. These can be pulled:");
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("name", "size", here.Count == 0 ? "licence" : "where");
        foreach (var record in here)
        {
            table.AddRow(new Text(record.Name), new Text(ByteSize.Format(record.Bytes)), new Text((record.Exists ? "" : "gone: ") + record.Path + (record.Adapter is { } adapter ? $" (adapter for {Core.Text.TerminalText.Sanitize(adapter.ToString())})" : "")));
        }

        foreach (var entry in others)
        {
            table.AddRow(new Text(entry.Name), new Text(entry.Size), new Text(here.Count == 0 ? entry.Licence : $"to pull, licence {entry.Licence}"));
        }

        interaction.Render(table);
        if (here.Count == 0 && store.Catalogue.Proposed is { } proposed)
        {
            interaction.WriteLine($"Begin with: orchestrator model pull {proposed.Name}");
        }

        return Task.FromResult(ExitCodes.Ok);
    }
}
