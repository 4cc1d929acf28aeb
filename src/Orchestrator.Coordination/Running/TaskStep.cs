using Orchestrator.Coordination.Planning;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// Carries a plan out, wave by wave: the tasks of a wave need only earlier ones and run at once, each in a fork of the
/// shared transcript, so that all of them begin with the same cached prompt. Their results are put on the transcript in
/// the plan's order, whichever came first.
/// </summary>
internal sealed class TaskStep(RunScope run)
{
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        var outcomes = new Dictionary<string, TaskOutcome>(StringComparer.Ordinal);
        using var slots = new SemaphoreSlim(run.Options.MaxParallelTasks);
        foreach (var wave in PlanGraph.Waves(run.Plan!))
        {
            var transcript = run.Transcript;
            var results = await Task.WhenAll(wave.Select(task => InSlotAsync(
                slots, () => RunTaskAsync(task, transcript, outcomes, cancellationToken), cancellationToken)))
                .ConfigureAwait(false);
            foreach (var (task, result) in wave.Zip(results))
            {
                outcomes.Add(task.Id, result.Outcome);
                foreach (var message in result.Messages)
                {
                    await run.PostAsync(message, task.Id, result.Outcome.Agent, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        run.Outcomes.AddRange(run.Plan!.Tasks.Select(t => outcomes[t.Id]));
    }

    private static async Task<T> InSlotAsync<T>(SemaphoreSlim slots, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<TaskResult> RunTaskAsync(
        PlanTask task, Transcript transcript, Dictionary<string, TaskOutcome> done, CancellationToken cancellationToken)
    {
        var name = run.Assignments.First(a => a.TaskId == task.Id).Agent;
        var failed = task.Needs.Where(n => !done[n].Succeeded).ToArray();
        TaskResult result;
        if (failed.Length > 0)
        {
            var reason = $"It needs {string.Join(" and ", failed.Select(f => $"'{f}'"))}, which failed.";
            result = new TaskResult(new TaskOutcome(task.Id, name, false, reason), []);
        }
        else
        {
            await run.Journal.AppendAsync(new TaskStarted(task.Id) { Agent = name }, cancellationToken).ConfigureAwait(false);
            result = await AskAsync(task, run.Agent(name), transcript, cancellationToken).ConfigureAwait(false);
        }

        await run.Journal.AppendAsync(new TaskFinished(result.Outcome) { Agent = name }, cancellationToken).ConfigureAwait(false);
        return result;
    }

    private async Task<TaskResult> AskAsync(
        PlanTask task, IAgent agent, Transcript transcript, CancellationToken cancellationToken)
    {
        var name = agent.Card.Name;
        var cue = await run.Prompts.RenderAsync(run.Team.Prompts.Task, Variables(task, agent), cancellationToken).ConfigureAwait(false);
        var turn = await run.Turns.TakeAsync(agent, run.Turn(cue, transcript), task.Id, cancellationToken).ConfigureAwait(false);
        if (turn.Reply is not { } reply)
        {
            return new TaskResult(new TaskOutcome(task.Id, name, false, turn.Failure!), []);
        }

        var messages = new List<TeamMessage>(TurnRecord.ToolMessages(reply, name, run.Options.MaxToolResultCharacters))
        {
            new(name, $"(result of {task.Id}) {reply.Text}"),
        };
        if (run.Team.Facts is { } definition)
        {
            var factsCue = await run.Prompts.RenderAsync(definition.Prompt, Variables(task, agent), cancellationToken).ConfigureAwait(false);
            var facts = await new FactsStep(run, definition)
                .RunAsync(task, agent, factsCue, Fork(transcript, cue, name, reply), reply, cancellationToken).ConfigureAwait(false);
            if (facts is not null)
            {
                messages.Add(facts);
            }
        }

        return new TaskResult(new TaskOutcome(task.Id, name, true, reply.Text), messages);
    }

    /// <summary>The transcript as the agent saw it, and so with its cache.</summary>
    private static Transcript Fork(Transcript transcript, string cue, string name, AgentReply reply)
    {
        foreach (var message in TurnRecord.ToolMessages(reply, name))
        {
            transcript = transcript.Add(message);
        }

        return transcript.AddTurn(cue, new TeamMessage(name, reply.Text, TokenIds: reply.TokenIds));
    }

    private Dictionary<string, object?> Variables(PlanTask task, IAgent agent)
    {
        var variables = PromptVariables.Of(agent.Card);
        variables["goal"] = run.Run.Task;
        variables["task"] = task.Description;
        variables["task_id"] = task.Id;
        variables["needs"] = task.Needs;
        variables["inputs"] = run.Team.Inputs;
        return variables;
    }

    private sealed record TaskResult(TaskOutcome Outcome, IReadOnlyList<TeamMessage> Messages);
}
