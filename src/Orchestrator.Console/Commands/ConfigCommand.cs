using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Hosting;
using Spectre.Console;

namespace Orchestrator.Console.Commands;

/// <summary><c>orchestrator config</c>.</summary>
internal sealed class ConfigCommand : Command
{
    public ConfigCommand()
        : base("config", "Show the settings.") => Add(new ShowCommand());

    private sealed class ShowCommand()
        : ConsoleCommand(
            "show",
            "Show each setting, its value, and where the value comes from.",
            "orchestrator config show",
            "ORCHESTRATOR_MODEL=small orchestrator config show --json")
    {
        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var configuration = (IConfigurationRoot)services.GetRequiredService<IConfiguration>();
            var rows = SettingList.Read(configuration);
            if (interaction.Json)
            {
                foreach (var row in rows)
                {
                    interaction.WriteJson(row);
                }

                return Task.FromResult(ExitCodes.Ok);
            }

            var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("setting").NoWrap()).AddColumns("value", "from");
            foreach (var row in rows)
            {
                table.AddRow(new Text(row.Key[(InferenceOptions.Section.Length + 1)..]), new Text(row.Value), new Text(row.IsRead ? row.Source : $"{row.Source}; nothing reads it"));
            }

            interaction.Render(table);
            interaction.WriteLine(
                $"Set one with an environment variable, as {Settings.EnvironmentPrefix}CONTEXT_SIZE=4096 or {Settings.EnvironmentPrefix}SERVER__URL=http://127.0.0.1:8000, or below {InferenceOptions.Section} in {Settings.FileName}.");
            return Task.FromResult(ExitCodes.Ok);
        }
    }
}
