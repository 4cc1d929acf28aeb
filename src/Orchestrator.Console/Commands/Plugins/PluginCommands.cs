using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Tools;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core.Plugins;
using Orchestrator.Core.Text;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Plugins;

/// <summary><c>orchestrator plugin</c>.</summary>
internal static class PluginCommands
{
    public static Command Create() => new CommandGroup(
        "plugin", "Look at plugins and write new ones.", new ListCommand(), new ShowCommand(), new NewPluginCommand());

    private sealed class ListCommand() : ConsoleCommand(
        "list", "List the plugins.", "orchestrator plugin list", "orchestrator plugin list --json")
    {
        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var catalogue = services.GetRequiredService<PluginCatalogue>();
            var listing = catalogue.List();
            var table = new Table().Border(TableBorder.Rounded).AddColumns("plugin", "kind", "on", "description");
            foreach (var plugin in listing.Plugins)
            {
                var enabled = catalogue.IsEnabled(plugin);
                if (interaction.Json)
                {
                    interaction.WriteJson(new { plugin.Name, plugin.Kind, enabled, plugin.Description, plugin.Folder });
                }

                table.AddRow(
                    new Text(plugin.Name),
                    new Text(Words(plugin.Kind)),
                    new Text(enabled ? "yes" : "no"),
                    new Text(TerminalText.Sanitize(plugin.Description)));
            }

            if (!interaction.Json)
            {
                interaction.Render(table);
            }

            foreach (var error in listing.Errors)
            {
                interaction.Error(error.ToString());
            }

            return Task.FromResult(listing.Errors.Count == 0 ? ExitCodes.Ok : ExitCodes.Configuration);
        }

        private static string Words(PluginKind kind) => kind switch
        {
            PluginKind.BuiltIn => "built in",
            PluginKind.Assembly => "C#",
            PluginKind.Prompts => "prompts",
            _ => "MCP server",
        };
    }

    private sealed class ShowCommand : ConsoleCommand
    {
        private readonly Argument<string> _name = new("name") { Description = "The plugin's name." };

        public ShowCommand()
            : base(
                "show",
                "Show a plugin's functions, what they may change, and how long they may take.",
                "orchestrator plugin show files") => Add(_name);

        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override async Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var context = new PluginContext { Root = services.GetRequiredService<RootFolder>().Path };
            var functions = await services.GetRequiredService<PluginCatalogue>()
                .DescribeAsync(parse.GetRequiredValue(_name), context, cancellationToken);
            foreach (var (tool, description, takes, policy) in functions)
            {
                string[] parameters = [.. takes.Select(p => p.IsRequired ? p.Name : $"{p.Name}?")];
                if (interaction.Json)
                {
                    interaction.WriteJson(new { tool, description, parameters, policy.SideEffects, policy.Approval, policy.Deadline });
                    continue;
                }

                interaction.MarkupLine($"[bold]{tool}[/]({string.Join(", ", parameters)}) [grey]{Rules(policy)}[/]");
                interaction.WriteLine($"  {TerminalText.Sanitize(description)}");
            }

            return ExitCodes.Ok;
        }

        private static string Rules(ToolPolicy policy)
        {
            var effects = policy.SideEffects switch
            {
                SideEffects.None => "changes nothing",
                SideEffects.Output => "writes into the run's output folder",
                _ when policy.Approval == Approval.Always => "may change anything, approved",
                _ when policy.Approval == Approval.Never => "may change anything, forbidden",
                _ when policy.StaysInOutput is not null => "needs approval outside of the run's output folder",
                _ => "may change anything, needs approval",
            };
            return $"{effects}; at most {policy.Deadline.TotalSeconds:0.###} s";
        }
    }
}
