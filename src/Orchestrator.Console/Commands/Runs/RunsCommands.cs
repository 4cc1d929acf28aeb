using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Runs;

namespace Orchestrator.Console.Commands.Runs;

/// <summary><c>orchestrator runs</c>.</summary>
internal static class RunsCommands
{
    public static Command Create() => new CommandGroup(
        "runs",
        "Look at runs and delete them.",
        new ListRunsCommand(),
        new ShowRunCommand(),
        new DeleteRunsCommand());
}

/// <summary>A command that works on the store of runs.</summary>
internal abstract class RunStoreCommand(string name, string description, params IReadOnlyList<string> examples)
    : ConsoleCommand(name, description, examples)
{
    private const string Folder = "runs";

    public override void Configure(ParseResult parse, HostApplicationBuilder builder)
    {
        var root = builder.Environment.ContentRootPath;
        var configured = builder.Configuration["Orchestrator:Runs:Root"];
        builder.Services.AddOrchestratorRuns(options =>
            options.Root = Path.GetFullPath(string.IsNullOrWhiteSpace(configured) ? Folder : configured, root));
    }

    protected static string RunHelp => "The run's id, or enough of its beginning or end to tell it from all others.";
}
