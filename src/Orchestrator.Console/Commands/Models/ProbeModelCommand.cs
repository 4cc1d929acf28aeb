using System.CommandLine;
using Orchestrator.Console.Hosting;
using Orchestrator.Inference.Hosting;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model probe</c>: what the console runs as a child to try a file that it never loaded.</summary>
internal sealed class ProbeModelCommand : ConsoleCommand
{
    public const string CommandName = "probe";

    private readonly Argument<string> _path = new("path") { Description = "A GGUF file.", HelpName = "PATH" };

    public ProbeModelCommand()
        : base(CommandName, "Load a model, compute one token, and write JSON lines of how it went.")
    {
        Hidden = true;
        Add(_path);
    }

    public override Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken) => Task.FromResult(
        ModelProbeChild.Run(parse.GetRequiredValue(_path), parse.InvocationConfiguration.Output, cancellationToken) == 0
            ? ExitCodes.Ok
            : ExitCodes.Model);
}
