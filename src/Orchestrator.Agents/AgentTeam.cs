using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Agents;

namespace Orchestrator.Agents;

/// <summary>The members of a team in one run, with their plugins open until this is disposed.</summary>
public sealed class AgentTeam : IAsyncDisposable
{
    private readonly PluginSet _plugins;
    private readonly Approvals _approvals;

    internal AgentTeam(IReadOnlyList<Agent> agents, IToolInvoker tools, PluginSet plugins, Approvals approvals)
    {
        Agents = agents;
        Tools = tools;
        _plugins = plugins;
        _approvals = approvals;
    }

    /// <summary>The members, in the order of the team's file.</summary>
    public IReadOnlyList<Agent> Agents { get; }

    /// <summary>Calls the team's tools where no agent does.</summary>
    public IToolInvoker Tools { get; }

    /// <summary>Closes the plugins.</summary>
    /// <returns>When all are closed.</returns>
    public async ValueTask DisposeAsync()
    {
        await _plugins.DisposeAsync().ConfigureAwait(false);
        _approvals.Dispose();
    }
}
