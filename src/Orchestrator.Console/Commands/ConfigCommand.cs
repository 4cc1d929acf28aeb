using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
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
            var rows = SettingSource.ReadAll(configuration);
            if (interaction.Json)
            {
                foreach (var row in rows)
                {
                    interaction.WriteJson(row);
                }

                return Task.FromResult(ExitCodes.Ok);
            }

            if (rows.Count == 0)
            {
                interaction.WriteLine("Every setting has its default.");
                interaction.WriteLine($"Set one with {Settings.EnvironmentPrefix}NAME=value, or in {Settings.FileName}.");
                return Task.FromResult(ExitCodes.Ok);
            }

            var table = new Table().Border(TableBorder.Rounded).AddColumns("setting", "value", "from");
            foreach (var row in rows)
            {
                table.AddRow(new Text(row.Key), new Text(row.Value), new Text(row.Source));
            }

            interaction.Render(table);
            return Task.FromResult(ExitCodes.Ok);
        }
    }

    private sealed record SettingSource(string Key, string Value, string Source)
    {
        private static readonly string[] SecretWords = ["token", "secret", "password", "apikey"];

        public static IReadOnlyList<SettingSource> ReadAll(IConfigurationRoot configuration) =>
            [.. configuration.AsEnumerable()
                .Where(pair => pair.Value is not null && pair.Key.StartsWith("Orchestrator:", StringComparison.OrdinalIgnoreCase))
                .Select(pair => new SettingSource(pair.Key, Shown(pair.Key, pair.Value!), SourceOf(configuration, pair.Key)))
                .OrderBy(row => row.Key, StringComparer.OrdinalIgnoreCase)];

        private static string Shown(string key, string value) =>
            SecretWords.Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase)) ? "(secret)" : value;

        private static string SourceOf(IConfigurationRoot configuration, string key) =>
            configuration.Providers.Last(p => p.TryGet(key, out _)) switch
            {
                FileConfigurationProvider { Source: { FileProvider: { } files, Path: { } path } } =>
                    files.GetFileInfo(path).PhysicalPath ?? path,
                var provider => provider.ToString() ?? provider.GetType().Name,
            };
    }
}
