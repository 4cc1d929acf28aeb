using System.CommandLine;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Hosting;

System.Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
var parse = OrchestratorCommand.Create().Parse(args);
if (parse.Errors.Count > 0)
{
    foreach (var error in parse.Errors)
    {
        System.Console.Error.WriteLine($"error: {error.Message}");
    }

    System.Console.Error.WriteLine($"  try: {OrchestratorCommand.NameOf(parse.CommandResult)} --help");
    return ExitCodes.Usage;
}

return await parse.InvokeAsync(
    new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
    InterruptHandler.Instance.Token);
