using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Runs;
using Orchestrator.Console.Terminal;
using Orchestrator.Runs;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Runs;

/// <summary><c>orchestrator runs list</c>.</summary>
internal sealed class ListRunsCommand : RunStoreCommand
{
    private const int NarrowWidth = 100;
    private const int TaskCharacters = 120;
    private readonly Option<int> _count = new("--count", "-n")
    {
        Description = "How many runs to list at most.",
        DefaultValueFactory = _ => 20,
    };

    public ListRunsCommand()
        : base("list", "List the runs on this machine, newest first.", "orchestrator runs list", "orchestrator runs list -n 100 --json") =>
        Add(_count);

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var store = services.GetRequiredService<RunStore>();
        var runs = await store.ListAsync(cancellationToken).Take(parse.GetValue(_count)).ToListAsync(cancellationToken);
        if (interaction.Json)
        {
            foreach (var run in runs)
            {
                interaction.WriteJson(RunJson.Of(run));
            }

            return ExitCodes.Ok;
        }

        if (runs.Count == 0)
        {
            interaction.WriteLine($"There is no run in {store.Root} yet. Begin with: orchestrator run TEAM \"TASK\"");
            return ExitCodes.Ok;
        }

        // On a narrow terminal the id's random end is enough to name a run.
        var narrow = interaction.Width < NarrowWidth;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("run", "begun", "team", "ended", "task");
        table.Columns[0].NoWrap();
        table.Columns[1].NoWrap();
        table.Columns[3].NoWrap();
        foreach (var run in runs)
        {
            table.AddRow(
                new Text(narrow ? run.RunId[^Math.Min(6, run.RunId.Length)..] : run.RunId),
                new Text(run.Started?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? ""),
                new Text(run.Team ?? ""),
                new Text(run.Reason ?? run.State.ToString().ToLowerInvariant()),
                new Text(TaskText.OneLine(run.Task ?? run.Summary ?? "", TaskCharacters)));
        }

        interaction.Render(table);
        return ExitCodes.Ok;
    }
}

/// <summary>A run as <c>--json</c> writes it.</summary>
internal sealed record RunJson(
    string RunId,
    string State,
    string? Team,
    string? Task,
    DateTimeOffset? Started,
    string? Reason,
    string? Summary,
    int Events,
    Core.Runs.RunUsage? Usage)
{
    public static RunJson Of(RunSummary run) => new(
        run.RunId, run.State.ToString().ToLowerInvariant(), run.Team, run.Task, run.Started, run.Reason, run.Summary, run.Events, run.Usage);
}
