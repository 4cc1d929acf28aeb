using System.CommandLine;
using System.CommandLine.Help;
using Orchestrator.Console.Commands;
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

System.Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
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
    SchemaCommands.Create(),
};
foreach (var help in root.Options.OfType<HelpOption>())
{
    help.Action = new ExamplesHelpAction((HelpAction)help.Action!);
}

var parse = root.Parse(args);
if (parse.Errors.Count > 0)
{
    foreach (var error in parse.Errors)
    {
        System.Console.Error.WriteLine($"error: {error.Message}");
    }

    System.Console.Error.WriteLine($"  try: {CommandLine(parse)} --help");
    return ExitCodes.Usage;
}

return await parse.InvokeAsync(
    new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
    InterruptHandler.Instance.Token);

static string CommandLine(ParseResult parse)
{
    var names = new Stack<string>();
    for (var result = parse.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
    {
        names.Push(result.Command is RootCommand ? "orchestrator" : result.Command.Name);
    }

    return string.Join(' ', names);
}
