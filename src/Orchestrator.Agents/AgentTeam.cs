using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Tools;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Runs;

namespace Orchestrator.Agents;

/// <summary>The members of a team in one run, with their plugins open until this is disposed.</summary>
public sealed class AgentTeam : IAsyncDisposable
{
    private readonly PluginSet _plugins;
    private readonly Approvals _approvals;
    private readonly IRunJournal? _journal;

    internal AgentTeam(
        IReadOnlyList<Agent> agents, IToolInvoker tools, PluginSet plugins, Approvals approvals, IRunJournal? journal)
    {
        Agents = agents;
        Tools = tools;
        _plugins = plugins;
        _approvals = approvals;
        _journal = journal;
    }

    /// <summary>The members, in the order of the team's file.</summary>
    public IReadOnlyList<Agent> Agents { get; }

    /// <summary>Calls the team's tools where no agent does.</summary>
    public IToolInvoker Tools { get; }

    /// <summary>
    /// Closes the plugins. One that does not return within 10 s is abandoned, and the journal is told, so this belongs
    /// before the run's last event: hand the team to the run as what it owns.
    /// </summary>
    /// <returns>When all are closed or abandoned.</returns>
    public async ValueTask DisposeAsync()
    {
        _approvals.Dispose();
        if (_journal is null)
        {
            await _plugins.DisposeAsync().ConfigureAwait(false);
            return;
        }

        foreach (var trouble in await _plugins.CloseAsync().ConfigureAwait(false))
        {
            await _journal.AppendAsync(new RunFailed(trouble, Fatal: false), CancellationToken.None).ConfigureAwait(false);
        }
    }
}
