namespace Orchestrator.Core.Plugins;

/// <summary>
/// Where a plugin works. A plugin class that takes one in its constructor gets that of its run; it reaches no other
/// folder by itself.
/// </summary>
public sealed record PluginContext
{
    /// <summary>The folder that relative paths of inputs start from; an absolute path.</summary>
    public required string Root { get; init; }

    /// <summary>The run's output folder, an absolute path; null where there is no run.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>The team's inputs by name, as the team's file and the command line give them.</summary>
    public IReadOnlyDictionary<string, string> Inputs { get; init; } = new Dictionary<string, string>();

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>An input that names a file or folder, as an absolute path.</summary>
    /// <param name="name">The input.</param>
    /// <returns>The path.</returns>
    /// <exception cref="OrchestratorException">The team has no such input.</exception>
    public string InputPath(string name) => Inputs.TryGetValue(name, out var value)
        ? Path.GetFullPath(value, Root)
        : throw new OrchestratorException(
            ErrorKind.Configuration,
            $"The team has no input '{name}'.",
            $"Add 'inputs: {{{name}: PATH}}' to the team's file, or give --input {name}=PATH.");

    /// <summary>An input that names a folder which is there, as an absolute path.</summary>
    /// <param name="name">The input.</param>
    /// <returns>The path.</returns>
    /// <exception cref="OrchestratorException">The team has no such input, or its folder does not exist.</exception>
    public string InputFolder(string name) => InputPath(name) is var path && Directory.Exists(path)
        ? path
        : throw new OrchestratorException(
            ErrorKind.Configuration,
            $"The input '{name}' names the folder {path}, which does not exist.",
            $"Name one that does: --input {name}=FOLDER.");
}
