using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Agents.Plugins;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Commands.Plugins;

/// <summary><c>orchestrator plugin new</c>: a project that builds and passes its own test.</summary>
internal sealed class NewPluginCommand : ConsoleCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The plugin's name: letters, digits and '_'." };

    public NewPluginCommand()
        : base(
            "new",
            "Write a C# plugin to begin with into plugins/.",
            "orchestrator plugin new weather",
            "dotnet test plugins/weather/tests") => Add(_name);

    public override Task<int> ExecuteAsync(
        ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var name = parse.GetRequiredValue(_name);
        var folder = services.GetRequiredService<RootFolder>().Resolve(Path.Combine("plugins", PluginTemplate.CheckName(name)));
        var files = PluginTemplate.Write(name, folder);
        var schema = Path.Combine(Path.GetDirectoryName(folder)!, "plugin.schema.json");
        if (!File.Exists(schema))
        {
            File.WriteAllText(schema, PluginCatalogue.JsonSchema);
        }

        if (interaction.Json)
        {
            interaction.WriteJson(new { name, folder, files });
            return Task.FromResult(ExitCodes.Ok);
        }

        foreach (var file in files)
        {
            interaction.WriteLine($"wrote {Path.Combine(folder, file)}");
        }

        interaction.WriteLine();
        interaction.WriteLine($"test it:   dotnet test {Path.Combine(folder, "tests")}");
        interaction.WriteLine($"look at it: orchestrator plugin show {name}");
        return Task.FromResult(ExitCodes.Ok);
    }
}
