using Orchestrator.Core;

namespace Orchestrator.Agents.Definitions;

/// <summary>One thing that is wrong in a file that people write.</summary>
/// <param name="File">The file, as it was named to the reader.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Key">Where in the file's structure, as <c>members[1].role</c>; empty for the file as a whole.</param>
/// <param name="Message">What is wrong, in a sentence without the place.</param>
public sealed record DefinitionError(string File, int Line, int Column, string Key, string Message)
{
    /// <summary>Place, key and message in one line: <c>teams/x.yaml:12:3: members[1].role: …</c>.</summary>
    /// <returns>The line.</returns>
    public override string ToString() =>
        Key.Length == 0 ? $"{File}:{Line}:{Column}: {Message}" : $"{File}:{Line}:{Column}: {Key}: {Message}";
}

/// <summary>A prompt, team or plugin file is wrong.</summary>
public sealed class DefinitionException : OrchestratorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="errors">All that is wrong, at least one.</param>
    public DefinitionException(params IReadOnlyList<DefinitionError> errors)
        : base(ErrorKind.Configuration, string.Join('\n', errors), "Correct the file and run the command again.") =>
        Errors = errors;

    /// <summary>All that is wrong, in the order of the file.</summary>
    public IReadOnlyList<DefinitionError> Errors { get; }
}
