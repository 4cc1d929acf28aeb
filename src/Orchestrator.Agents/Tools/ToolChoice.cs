namespace Orchestrator.Agents.Tools;

/// <summary>How an agent decides whether to call a tool, and which.</summary>
public enum ToolChoice
{
    /// <summary>
    /// By likelihood: how well each tool's description, and that of answering at once, explains what is asked. The
    /// call is then generated under the chosen tool's schema. By far the best with small models.
    /// </summary>
    Likelihood,

    /// <summary>The model decides freely while it writes.</summary>
    Auto,
}
