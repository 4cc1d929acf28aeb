using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Commands;

/// <summary>
/// A command of <c>orchestrator</c>. The command line is parsed first; then the host is built for the command, and the
/// command's work is done with its services.
/// </summary>
internal abstract class ConsoleCommand : Command
{
    protected ConsoleCommand(string name, string description, params IReadOnlyList<string> examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction((parse, cancellationToken) => CommandRunner.RunAsync(this, parse, cancellationToken));
    }

    /// <summary>Command lines that show the command at work, printed by <c>--help</c>.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Adds what only this command needs, and settings that its flags replace.</summary>
    public virtual void Configure(ParseResult parse, HostApplicationBuilder builder)
    {
    }

    /// <summary>Does the command's work.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="services">The host's services; <see cref="IInteraction"/> is one.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public abstract Task<int> ExecuteAsync(
        ParseResult parse, IServiceProvider services, CancellationToken cancellationToken);
}

/// <summary>A command that only holds others, e.g. <c>orchestrator model</c>.</summary>
internal sealed class CommandGroup : Command
{
    public CommandGroup(string name, string description, params IReadOnlyList<Command> commands)
        : base(name, description)
    {
        foreach (var command in commands)
        {
            Add(command);
        }
    }
}
