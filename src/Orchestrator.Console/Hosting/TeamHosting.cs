using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Agents.Teams;
using Orchestrator.Agents.Tools;
using Orchestrator.Console.Terminal;
using Orchestrator.Coordination;
using Orchestrator.Core;
using Orchestrator.Core.Teams;
using Orchestrator.Core.Text;
using Orchestrator.Runs;

namespace Orchestrator.Console.Hosting;

/// <summary>Adds what teams need, with the folders of the root first and those that ship with the program after them.</summary>
internal static class TeamHosting
{
    public static void AddTeams(this HostApplicationBuilder builder)
    {
        var root = builder.Environment.ContentRootPath;
        builder.AddAgents();
        builder.Services.AddSingleton<IApprover, ConsoleApprover>();
        builder.Services.AddOrchestratorRuns(options =>
        {
            if (string.IsNullOrEmpty(options.Root))
            {
                options.Root = Path.Combine(root, "runs");
            }
        });
        builder.Services.AddOptions<RunsOptions>().PostConfigure<SecretRedactor>((options, redactor) => options.Redact = redactor.Redact);
        builder.Services.AddOrchestratorCoordination();
        builder.Services.AddOptions<CoordinationOptions>().Bind(builder.Configuration.GetSection(CoordinationOptions.Section));
    }

    /// <summary>Finds a team by its file or its name.</summary>
    public static TeamDefinition FindTeam(this IServiceProvider services, string team)
    {
        var root = services.GetRequiredService<RootFolder>();
        var isPath = team.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || team.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
            || team.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (!isPath)
        {
            return WithShippedInputs(services.GetRequiredService<TeamLibrary>().Get(team), root);
        }

        var file = new[] { root.Resolve(team), Path.Combine(RootFolder.Shipped, team) }.FirstOrDefault(File.Exists)
            ?? throw new OrchestratorException(
                ErrorKind.Configuration, $"There is no team file {root.Resolve(team)}.", "`orchestrator team list` shows the teams that are here.");
        return WithShippedInputs(TeamLibrary.ReadFile(file), root);
    }

    /// <summary>A team that ships with the program works on what ships beside it, unless the root holds it too.</summary>
    private static TeamDefinition WithShippedInputs(TeamDefinition team, RootFolder root)
    {
        if (team.SourcePath?.StartsWith(RootFolder.Shipped, StringComparison.Ordinal) != true)
        {
            return team;
        }

        string Find(string value) =>
            !Path.Exists(root.Resolve(value)) && Path.Combine(RootFolder.Shipped, value) is var shipped && Path.Exists(shipped) ? shipped : value;
        return team with { Inputs = team.Inputs.ToDictionary(input => input.Key, input => Find(input.Value)) };
    }
}

/// <summary>Asks the person at the terminal; where there is none, the call is denied.</summary>
internal sealed class ConsoleApprover(IInteraction interaction) : IApprover
{
    public ValueTask<ApprovalAnswer> AskAsync(ApprovalRequest request, CancellationToken cancellationToken = default)
    {
        if (!interaction.Interactive)
        {
            return ValueTask.FromResult(ApprovalAnswer.Nobody);
        }

        interaction.WriteLine();
        interaction.MarkupLine($"[yellow]{request.Agent} wants to call[/] [bold]{request.Tool}[/] [grey]({request.Description})[/]");
        interaction.WriteLine(request.Arguments.GetRawText());
        return ValueTask.FromResult(interaction.Ask("Allow it?", "once", "always", "never") switch
        {
            "once" => ApprovalAnswer.Once,
            "always" => ApprovalAnswer.Always,
            _ => ApprovalAnswer.Never,
        });
    }
}
