using Microsoft.Extensions.AI;
using Orchestrator.Coordination.Voting;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>What a team is to do, and with what.</summary>
public sealed record TeamRun
{
    /// <summary>The team.</summary>
    public required TeamDefinition Team { get; init; }

    /// <summary>What it is asked to do.</summary>
    public required string Task { get; init; }

    /// <summary>Gets all that happens. It belongs to the caller, who disposes it after the run.</summary>
    public required IRunJournal Journal { get; init; }

    /// <summary>
    /// Makes the members, once. All that they do is to go into the journal that it is given, which is the run's with
    /// the budget in front of it.
    /// </summary>
    public required Func<IRunJournal, CancellationToken, ValueTask<TeamMembers>> Assemble { get; init; }

    /// <summary>The folder that the run's own files go to; made when there is one.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>The seed that all others are drawn from.</summary>
    public ulong Seed { get; init; }

    /// <summary>The model's name, for the record.</summary>
    public string? Model { get; init; }

    /// <summary>Whether to stop once the plan is made and allocated.</summary>
    public bool PlanOnly { get; init; }

    /// <summary>Gets answers piece by piece as they are made, from the threads that make them; may be null.</summary>
    public IProgress<TurnProgress>? Progress { get; init; }
}

/// <summary>Who and what a run works with.</summary>
/// <param name="Agents">The members, in the team's order.</param>
/// <param name="Client">The model, for the planner and for decisions; what it does goes into the run's journal.</param>
/// <param name="Tools">The team's tools, or null for none.</param>
/// <param name="Owned">What is disposed when the run has ended, plugins for one; or null.</param>
public sealed record TeamMembers(
    IReadOnlyList<IAgent> Agents, IChatClient Client, IToolInvoker? Tools = null, IAsyncDisposable? Owned = null);

/// <summary>How a run ended.</summary>
public sealed record TeamRunResult
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary><c>completed</c>, <c>failed</c>, <c>budget</c>, <c>stalled</c> or <c>cancelled</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>The result in a few lines, or why there is none.</summary>
    public required string Summary { get; init; }

    /// <summary>What it used.</summary>
    public required RunUsage Usage { get; init; }

    /// <summary>The plan, where one was made.</summary>
    public Plan? Plan { get; init; }

    /// <summary>How the tasks ended, in the plan's order.</summary>
    public IReadOnlyList<TaskOutcome> Outcomes { get; init; } = [];

    /// <summary>What was decided, or null.</summary>
    public VoteResult? Decision { get; init; }

    /// <summary>The file that was delivered, absolute, or null.</summary>
    public string? Deliverable { get; init; }

    /// <summary>What the run failed by, where it was an error meant for a person.</summary>
    public OrchestratorException? Error { get; init; }
}
