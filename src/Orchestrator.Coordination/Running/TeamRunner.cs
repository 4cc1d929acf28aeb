using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Coordination.Allocation;
using Orchestrator.Coordination.Planning;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// Runs a team: plan, allocation, tasks, talk, decision, deliverable. All that happens is in the journal, whose last
/// event says how the run ended, whatever it ended by.
/// </summary>
public sealed partial class TeamRunner
{
    private const string Completed = "completed";
    private const string Failed = "failed";
    private const string Budget = "budget";
    private const string Stalled = "stalled";
    private const string Cancelled = "cancelled";
    private const int SummaryCharacters = 400;

    private readonly IPromptRenderer _prompts;
    private readonly CoordinationOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    /// <summary>Creates a runner, which may carry out many runs, also at once.</summary>
    /// <param name="prompts">Renders the prompts.</param>
    /// <param name="options">How runs are carried out.</param>
    /// <param name="clock">Measures deadlines.</param>
    /// <param name="logger">Told when runs begin and end.</param>
    public TeamRunner(
        IPromptRenderer prompts, IOptions<CoordinationOptions> options, TimeProvider clock, ILogger<TeamRunner> logger)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(logger);
        _prompts = prompts;
        _options = options.Value;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Refuses a team whose definition contradicts itself: a cyclic plan, an author who is no member.</summary>
    /// <param name="team">The team.</param>
    /// <exception cref="OrchestratorException">It cannot be run; the message says why.</exception>
    public static void Validate(TeamDefinition team)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (team.Members.Count == 0)
        {
            throw new OrchestratorException(ErrorKind.Configuration, $"Team '{team.Name}' has no members.", "Add one at least to the team's file, under members.");
        }

        FixedPlanner.Validate(team);
        DeliverableStep.Validate(team);
        if (team.Protocol.Decision is { OptionsFrom: null, Options.Count: 0 })
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"protocol.decision of team '{team.Name}' has no options.",
                "Write options, or name the tool that gives them in options_from.");
        }
    }

    /// <summary>Refuses a team that cannot be run: one that <see cref="Validate"/> refuses, or whose prompts are missing or wrong.</summary>
    /// <param name="team">The team.</param>
    /// <exception cref="OrchestratorException">It cannot be run; the message says why.</exception>
    public void Check(TeamDefinition team)
    {
        Validate(team);
        _ = HashesOf(team);
    }

    /// <summary>Runs a team to its end.</summary>
    /// <param name="run">What is to be done.</param>
    /// <param name="cancellationToken">Stops the run; its result is then <c>cancelled</c>.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="OrchestratorException">
    /// The definition is wrong, which is found before the run begins; or the journal cannot be written.
    /// </exception>
    public async Task<TeamRunResult> RunAsync(TeamRun run, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        Validate(run.Team);
        var hashes = HashesOf(run.Team);
        await using var budget = new RunBudget(run.Journal, run.Team.Budget, _clock);
        await budget.AppendAsync(
            new RunStarted(
                RunLogFormat.Version,
                budget.RunId,
                run.Team.Name,
                run.Task,
                run.Seed,
                run.Model,
                [.. run.Team.Members.Select(m => m.Name)],
                hashes),
            CancellationToken.None).ConfigureAwait(false);
        LogStarted(budget.RunId, run.Team.Name);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, budget.Spent);
        TeamMembers? members = null;
        RunScope? scope = null;
        string reason;
        string? failure = null;
        Exception? error = null;
        try
        {
            members = await run.Assemble(budget, stop.Token).ConfigureAwait(false);
            scope = await BeginAsync(run, members, budget, stop.Token).ConfigureAwait(false);
            (reason, failure) = await CarryOutAsync(scope, stop.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            (reason, failure) = (Cancelled, "The run was cancelled.");
        }
        catch (Exception) when (budget.Reason is not null)
        {
            (reason, failure) = (Budget, $"The run ended because {budget.Reason}.");
        }
        catch (Exception e)
        {
            (reason, failure, error) = (Failed, e.Message, e);
        }
        finally
        {
            // Before the last event: what a plugin does while it closes is a part of the run.
            if (members?.Owned is { } owned)
            {
                await owned.DisposeAsync().ConfigureAwait(false);
            }
        }

        if (reason == Failed)
        {
            LogFailed(error, budget.RunId, failure!);
            await budget.AppendAsync(new RunFailed(failure!, Fatal: true), CancellationToken.None).ConfigureAwait(false);
        }

        var summary = failure ?? TurnRecord.Cut(scope!.Result, SummaryCharacters);
        var usage = budget.Usage;
        await budget.AppendAsync(new RunFinished(reason, summary, usage), CancellationToken.None).ConfigureAwait(false);
        LogFinished(budget.RunId, reason);
        return new TeamRunResult
        {
            RunId = budget.RunId,
            Reason = reason,
            Summary = summary,
            Usage = usage,
            Plan = scope?.Plan,
            Outcomes = scope?.Outcomes ?? [],
            Decision = scope?.Decision,
            Deliverable = scope?.Deliverable,
            Error = error as OrchestratorException,
        };
    }

    private async Task<RunScope> BeginAsync(
        TeamRun run, TeamMembers members, RunBudget budget, CancellationToken cancellationToken)
    {
        var preamble = await _prompts.RenderAsync(
            run.Team.Prompts.Preamble,
            new Dictionary<string, object?>
            {
                ["team"] = run.Team.Name,
                ["description"] = run.Team.Description,
                ["task"] = run.Task,
                ["inputs"] = run.Team.Inputs,
                ["members"] = members.Agents.Select(a => PromptVariables.Of(a.Card)).ToArray(),
            },
            cancellationToken).ConfigureAwait(false);
        return new RunScope
        {
            Run = run,
            Members = members,
            Journal = budget,
            Prompts = _prompts,
            Options = _options,
            Clock = _clock,
            Scorer = members.Client.GetChoiceScorer(),
            Transcript = Transcript.Begin(preamble),
            Turns = new TurnTaker(budget, _clock, _options)
            {
                Seed = run.Seed,
                Progress = run.Progress,
                TokensLeft = budget.TokensForTurn,
            },
        };
    }

    private async Task<(string Reason, string? Failure)> CarryOutAsync(RunScope run, CancellationToken cancellationToken)
    {
        await PlanAsync(run, cancellationToken).ConfigureAwait(false);
        if (run.Run.PlanOnly)
        {
            run.Result = $"A plan of {run.Plan!.Tasks.Count} task{(run.Plan.Tasks.Count == 1 ? "" : "s")}; nothing was carried out.";
            return (Completed, null);
        }

        await new TaskStep(run).RunAsync(cancellationToken).ConfigureAwait(false);
        if (run.Outcomes.TrueForAll(o => !o.Succeeded))
        {
            return (Failed, $"All tasks failed; the first by: {run.Outcomes[0].Result}");
        }

        run.Result = run.Outcomes.Last(o => o.Succeeded).Result;
        var end = await new ChatStep(run).RunAsync(cancellationToken).ConfigureAwait(false);
        if (run.Team.Protocol.Decision is { } decision)
        {
            await new DecisionStep(run).RunAsync(decision, cancellationToken).ConfigureAwait(false);
        }

        if (run.Team.Deliverable is { } deliverable)
        {
            await new DeliverableStep(run).RunAsync(deliverable, cancellationToken).ConfigureAwait(false);
        }

        // What was to be settled by talk alone was not, where the talk went round in circles.
        return run.Team.Protocol.Decision is null && run.Team.Deliverable is null && end == ConversationEnd.Stalled
            ? (Stalled, $"The members only repeated what was said. The last result: {TurnRecord.Cut(run.Result, SummaryCharacters)}")
            : (Completed, null);
    }

    private async Task PlanAsync(RunScope run, CancellationToken cancellationToken)
    {
        var definition = run.Team.Planner;
        IPlanner planner = definition.Kind == "fixed"
            ? new FixedPlanner(definition.Tasks, run.Journal)
            : new GraphPlanner(run.Members.Client, _prompts, run.Journal, definition.Prompt, _options.PlanAttempts);
        IReadOnlyList<AgentCard> cards = [.. run.Members.Agents.Select(a => a.Card)];
        run.Plan = await planner.PlanAsync(
            new PlanRequest
            {
                Goal = run.Run.Task,
                Members = cards,
                Transcript = run.Transcript,
                MaxTasks = definition.MaxTasks,
                Seed = (long)(run.Run.Seed & long.MaxValue),
                RunId = run.Journal.RunId,
            },
            cancellationToken).ConfigureAwait(false);
        run.Assignments = await new LikelihoodAllocator(run.Scorer).AllocateAsync(
            run.Plan.Tasks, cards, [], new ModelRequest { RunId = run.Journal.RunId }, cancellationToken).ConfigureAwait(false);
        foreach (var assignment in run.Assignments)
        {
            await run.Journal.AppendAsync(new TaskAllocated(assignment) { Agent = assignment.Agent }, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private Dictionary<string, string> HashesOf(TeamDefinition team) =>
        PromptsOf(team).ToDictionary(name => name, _prompts.GetHash, StringComparer.Ordinal);

    private static IEnumerable<string> PromptsOf(TeamDefinition team) => new[]
    {
        team.Prompts.Preamble,
        team.Planner.Kind == "fixed" ? null : team.Planner.Prompt,
        team.Prompts.Task,
        team.Facts?.Prompt,
        team.Protocol.MaxRounds == 0 ? null : team.Prompts.Discussion,
        team.Deliverable?.Narrative,
        team.Deliverable?.Prompt,
    }.Concat(team.Members.Select(m => m.Prompt)).OfType<string>().Distinct(StringComparer.Ordinal);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} of team {Team} begins.")]
    private partial void LogStarted(string runId, string team);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} ended: {Reason}.")]
    private partial void LogFinished(string runId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Run {RunId} failed: {Failure}")]
    private partial void LogFailed(Exception? error, string runId, string failure);
}
