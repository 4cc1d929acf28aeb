using System.ComponentModel.DataAnnotations;
using Orchestrator.Agents.Tools;

namespace Orchestrator.Agents;

/// <summary>Settings of this project; section <c>Orchestrator:Agents</c>.</summary>
public sealed class AgentsOptions
{
    /// <summary>The section of the settings.</summary>
    public const string Section = "Orchestrator:Agents";

    /// <summary>Where prompts are, absolute paths; earlier folders win.</summary>
    public IList<string> PromptFolders { get; set; } = [];

    /// <summary>Where teams are, absolute paths; earlier folders win.</summary>
    public IList<string> TeamFolders { get; set; } = [];

    /// <summary>Where plugins are, one folder a plugin; absolute paths; earlier folders win.</summary>
    public IList<string> PluginFolders { get; set; } = [];

    /// <summary>Plugins to switch on that are off by themselves, such as <c>shell</c>.</summary>
    public IList<string> Enable { get; set; } = [];

    /// <summary>Approval by tool (<c>plugin-function</c>) or plugin; goes before what a manifest says.</summary>
    public IDictionary<string, Approval> Approvals { get; set; } = new Dictionary<string, Approval>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How agents decide to call tools.</summary>
    public ToolChoice ToolChoice { get; set; } = ToolChoice.Likelihood;

    /// <summary>The most characters of a tool's result that an agent gets to see, 100 to 1,000,000.</summary>
    [Range(100, 1_000_000)]
    public int MaxToolResultLength { get; set; } = 4000;

    /// <summary>
    /// Names of settings and environment variables whose values are secrets: they are taken out of logs, events and
    /// what the console shows.
    /// </summary>
    public IList<string> Secrets { get; set; } = ["HF_TOKEN"];
}
