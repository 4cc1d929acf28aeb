using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Orchestrator.Console.Commands.Bench;
using Orchestrator.Console.Commands.Chat;
using Orchestrator.Console.Commands.Doctor;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Console.Commands.Plugins;
using Orchestrator.Console.Commands.Prompts;
using Orchestrator.Console.Commands.Runs;
using Orchestrator.Console.Commands.Schemas;
using Orchestrator.Console.Commands.Serve;
using Orchestrator.Console.Commands.Teams;
using Orchestrator.Console.Hosting;

namespace Orchestrator.Console.Commands;

/// <summary>The whole command line: <c>orchestrator</c> and all its commands.</summary>
internal static class OrchestratorCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand("A team of agents works on one language model on your own machine.")
        {
            GlobalOptions.Json,
            GlobalOptions.NoColor,
            GlobalOptions.Verbose,
            GlobalOptions.Root,
            new RunCommand(),
            new ChatCommand(),
            new ServeCommand(),
            TeamCommands.Create(),
            PromptCommands.Create(),
            PluginCommands.Create(),
            new ConfigCommand(),
            ModelCommands.Create(),
            RunsCommands.Create(),
            new DoctorCommand(),
            new BenchCommand(),
            SchemaCommands.Create(),
        };
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new ExamplesHelpAction((HelpAction)help.Action!);
        }

        return root;
    }

    /// <summary>The words that lead to a command, e.g. <c>orchestrator model show</c>.</summary>
    public static string NameOf(CommandResult command)
    {
        var names = new Stack<string>();
        for (var result = command; result is not null; result = result.Parent as CommandResult)
        {
            names.Push(result.Command is RootCommand ? "orchestrator" : result.Command.Name);
        }

        return string.Join(' ', names);
    }
}
