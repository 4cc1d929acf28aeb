using System.CommandLine;

namespace Orchestrator.Console.Commands.Schemas;

/// <summary><c>orchestrator schema</c>.</summary>
internal static class SchemaCommands
{
    public static Command Create() => new CommandGroup("schema", "Try JSON schemas, regular expressions and grammars.", new CheckSchemaCommand());
}
