using Orchestrator.Agents.Tools;

namespace Orchestrator.Agents.Plugins;

/// <summary>Where a plugin's functions come from.</summary>
public enum PluginKind
{
    /// <summary>It ships with Orchestrator.</summary>
    BuiltIn,

    /// <summary>A .NET assembly: public classes whose methods carry Semantic Kernel's <c>[KernelFunction]</c>.</summary>
    Assembly,

    /// <summary>A folder of prompts; each is a function.</summary>
    Prompts,

    /// <summary>An MCP server, started as a process and spoken to over its standard input and output.</summary>
    Mcp,
}

/// <summary>A plugin as its <c>plugin.yaml</c> describes it.</summary>
public sealed record PluginManifest
{
    /// <summary>The plugin's name; tools are called <c>name-function</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Where its functions come from.</summary>
    public required PluginKind Kind { get; init; }

    /// <summary>The plugin's folder, an absolute path; empty for a built-in one.</summary>
    public string Folder { get; init; } = "";

    /// <summary>The assembly, relative to the folder.</summary>
    public string? Assembly { get; init; }

    /// <summary>The folder of prompts, relative to the plugin's.</summary>
    public string? Prompts { get; init; }

    /// <summary>The command that starts the MCP server.</summary>
    public string? Command { get; init; }

    /// <summary>The command's arguments; one that names a file of the plugin's folder is made absolute.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Environment variables of the MCP server; it gets no others but the few that any process needs.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether teams may use it without it being switched on in the settings.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The rules for functions that are not named in <see cref="Functions"/>.</summary>
    public ToolPolicy Policy { get; init; } = new();

    /// <summary>The rules of single functions.</summary>
    public IReadOnlyDictionary<string, ToolPolicy> Functions { get; init; } = new Dictionary<string, ToolPolicy>();
}
