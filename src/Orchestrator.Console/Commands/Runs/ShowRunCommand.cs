using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Runs;
using Orchestrator.Console.Terminal;
using Orchestrator.Core.Runs;
using Orchestrator.Runs;

namespace Orchestrator.Console.Commands.Runs;

/// <summary><c>orchestrator runs show</c>.</summary>
internal sealed class ShowRunCommand : RunStoreCommand
{
    private readonly Argument<string> _run = new("run") { Description = RunHelp, HelpName = "RUN" };

    public ShowRunCommand()
        : base(
            "show",
            "Show what happened in a run, from its log. With --json, the log's events.",
            "orchestrator runs show 0a1b2c",
            "orchestrator runs show 0a1b2c --json | jq 'select(.type == \"decision.made\")'") => Add(_run);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<RunStore>();
        var id = store.Resolve(parse.GetRequiredValue(_run));
        var log = await store.ReadAsync(id, cancellationToken);
        if (interaction.Json)
        {
            foreach (var runEvent in log.Events)
            {
                interaction.WriteJsonLine(JsonSerializer.Serialize(runEvent, RunEventJson.Default.RunEvent));
            }

            return ExitCodes.Ok;
        }

        var view = new RunView(interaction);
        foreach (var runEvent in log.Events)
        {
            view.OnEvent(runEvent);
        }

        if (log.Finished is null)
        {
            var run = await store.SummariseAsync(id, cancellationToken);
            interaction.WriteLine(run.State == RunState.Active
                ? "The run is still going on."
                : $"The run was interrupted; its log holds {Counting.Of(run.Events, "complete event")}{(log.Torn ? ", and the beginning of one more" : "")}.");
        }

        if (log.Unrecognised.Count > 0)
        {
            interaction.WriteLine($"Not shown, since a newer version recorded it: {Counting.Of(log.Unrecognised.Count, "event")}.");
        }

        interaction.WriteLine($"folder: {store.GetFolder(id)}");
        return ExitCodes.Ok;
    }
}
