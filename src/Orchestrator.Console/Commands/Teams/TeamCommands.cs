using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Agents;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Teams;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Running;
using Orchestrator.Core;
using Orchestrator.Core.Plugins;
using Orchestrator.Core.Teams;
using Orchestrator.Core.Text;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Teams;

/// <summary><c>orchestrator team</c>.</summary>
internal static class TeamCommands
{
    public static Command Create() => new CommandGroup(
        "team", "Make teams and look for mistakes in them.", new ListCommand(), new NewCommand(), new ValidateCommand());

    private sealed class ListCommand() : ConsoleCommand(
        "list", "List the teams.", "orchestrator team list", "orchestrator team list --json")
    {
        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var library = services.GetRequiredService<TeamLibrary>();
            var table = new Table().Border(TableBorder.Rounded).AddColumns("team", "members", "description");
            foreach (var team in library.All)
            {
                string[] members = [.. team.Members.Select(m => m.Name)];
                if (interaction.Json)
                {
                    interaction.WriteJson(new { team.Name, members, team.Description, File = team.SourcePath });
                }

                table.AddRow(new Text(team.Name), new Text(string.Join(", ", members)), new Text(TerminalText.Sanitize(team.Description)));
            }

            if (!interaction.Json)
            {
                interaction.Render(table);
            }

            foreach (var error in library.Errors)
            {
                interaction.Error(error.ToString());
            }

            return Task.FromResult(library.Errors.Count == 0 ? ExitCodes.Ok : ExitCodes.Configuration);
        }
    }

    private sealed class NewCommand : ConsoleCommand
    {
        private readonly Argument<string> _name = new("name") { Description = "The team's name: letters, digits, '-' and '_'." };
        private readonly Option<string> _template = new("--template", "-t")
        {
            Description = $"What to begin with: {string.Join(" or ", TeamTemplates.Names)}.",
            DefaultValueFactory = _ => TeamTemplates.Names[0],
        };

        public NewCommand()
            : base(
                "new",
                "Write a team to begin with into teams/.",
                "orchestrator team new mine",
                "orchestrator team new mine --template research")
        {
            Add(_name);
            Add(_template);
        }

        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var folder = services.GetRequiredService<RootFolder>().Resolve("teams");
            var name = parse.GetRequiredValue(_name);
            var text = TeamTemplates.Create(name, parse.GetRequiredValue(_template));
            var path = Path.Combine(folder, $"{name}.yaml");
            if (File.Exists(path))
            {
                throw new OrchestratorException(ErrorKind.Usage, $"{path} is there already.", "Take another name, or remove the file.");
            }

            Directory.CreateDirectory(folder);
            File.WriteAllText(path, text);
            var schema = Path.Combine(folder, "team.schema.json");
            if (!File.Exists(schema))
            {
                File.WriteAllText(schema, TeamLibrary.JsonSchema);
            }

            if (interaction.Json)
            {
                interaction.WriteJson(new { name, file = path });
                return Task.FromResult(ExitCodes.Ok);
            }

            interaction.WriteLine($"wrote {path}");
            interaction.WriteLine($"check it with: orchestrator team validate {name}");
            return Task.FromResult(ExitCodes.Ok);
        }
    }

    private sealed class ValidateCommand : ConsoleCommand
    {
        private readonly Argument<string[]> _teams = new("team")
        {
            Description = "Teams, by file or name; all of them where none is given.",
            Arity = ArgumentArity.ZeroOrMore,
        };

        public ValidateCommand()
            : base(
                "validate",
                "Look for mistakes in teams: their files, and the plugins and prompts that they name.",
                "orchestrator team validate",
                "orchestrator team validate teams/incident.yaml --json") => Add(_teams);

        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddTeams();

        public override async Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var named = parse.GetValue(_teams) ?? [];
            var library = services.GetRequiredService<TeamLibrary>();
            var wrong = 0;
            foreach (var error in named.Length == 0 ? library.Errors : [])
            {
                wrong++;
                Report(interaction, error.File, error.ToString(), null);
            }

            foreach (var name in named.Length == 0 ? [.. library.All.Select(t => t.SourcePath!)] : named)
            {
                var file = name;
                try
                {
                    var team = services.FindTeam(name);
                    file = team.SourcePath!;
                    await CheckAsync(team, services, cancellationToken);
                    Report(interaction, file, null, team);
                }
                catch (DefinitionException e)
                {
                    wrong++;
                    Report(interaction, file, e.Message, null);
                }
                catch (OrchestratorException e) when (e.Kind == ErrorKind.Configuration)
                {
                    // What is wrong beyond the team's file, such as a plugin, doesn't name the team by itself.
                    wrong++;
                    Report(interaction, file, e.Message.StartsWith(file, StringComparison.Ordinal) ? e.Message : $"{file}: {e.Message}", null, e.Remedy);
                }
            }

            return wrong == 0 ? ExitCodes.Ok : ExitCodes.Configuration;
        }

        private static async Task CheckAsync(TeamDefinition team, IServiceProvider services, CancellationToken cancellationToken)
        {
            services.GetRequiredService<TeamRunner>().Check(team);
            await services.GetRequiredService<AgentFactory>().ValidateAsync(
                team, new PluginContext { Root = services.GetRequiredService<RootFolder>().Path }, cancellationToken);
        }

        private static void Report(IInteraction interaction, string file, string? error, TeamDefinition? team, string? remedy = null)
        {
            if (interaction.Json)
            {
                interaction.WriteJson(new { file, valid = error is null, error, remedy });
            }
            else if (error is not null)
            {
                interaction.Error(error, remedy);
            }
            else
            {
                interaction.MarkupLine($"[green]ok[/] {team!.Name} [grey]({Counting.Of(team.Members.Count, "member")}, {file})[/]");
            }
        }
    }
}
