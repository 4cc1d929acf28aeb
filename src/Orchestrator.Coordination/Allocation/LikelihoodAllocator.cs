using Microsoft.Extensions.AI;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;

namespace Orchestrator.Coordination.Allocation;

/// <summary>
/// Gives each task to a member: those who have the capability that it asks for are the candidates, and the likelihood
/// of the task given each one's role card decides. All tasks are scored in one batch and assigned jointly.
/// </summary>
public sealed class LikelihoodAllocator
{
    /// <summary>
    /// What a member's k-th task costs more than its first, k − 1 times, in nats: enough to spread tasks that suit
    /// several alike, too little to move one from whom it suits.
    /// </summary>
    private const double CrowdingCost = 0.05;

    private const double Forbidden = 1e6;
    private readonly IChoiceScorer _scorer;

    /// <summary>Creates an allocator.</summary>
    /// <param name="scorer">Scores the tasks against the role cards.</param>
    public LikelihoodAllocator(IChoiceScorer scorer)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        _scorer = scorer;
    }

    /// <summary>Allocates tasks.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="members">The members; one at least.</param>
    /// <param name="context">What is known to everybody, before the question.</param>
    /// <param name="request">Who asks.</param>
    /// <param name="cancellationToken">Stops the scoring.</param>
    /// <returns>An assignment for each task, in order. A capability that nobody has leaves all members candidates.</returns>
    /// <exception cref="ArgumentException">There is no member.</exception>
    public async Task<IReadOnlyList<Assignment>> AllocateAsync(
        IReadOnlyList<PlanTask> tasks,
        IReadOnlyList<AgentCard> members,
        IReadOnlyList<ChatMessage> context,
        ModelRequest request,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentOutOfRangeException.ThrowIfZero(members.Count);
        var candidates = tasks.Select(t => Candidates(t, members)).ToArray();
        var open = Enumerable.Range(0, tasks.Count).Where(t => candidates[t].Count > 1).ToArray();
        var results = open.Length == 0
            ? []
            : await _scorer.ScoreAsync(
                [.. open.Select(t => Question(tasks[t], candidates[t], context, request))], cancellationToken).ConfigureAwait(false);

        var probabilities = new double[tasks.Count, members.Count];
        for (var t = 0; t < tasks.Count; t++)
        {
            var scored = Array.IndexOf(open, t);
            for (var c = 0; c < candidates[t].Count; c++)
            {
                probabilities[t, candidates[t][c].Index] = scored < 0 ? 1 : results[scored].Scores[c].Probability;
            }
        }

        return Assign(tasks, members, candidates, probabilities);
    }

    private static List<(AgentCard Card, int Index)> Candidates(PlanTask task, IReadOnlyList<AgentCard> members)
    {
        var all = members.Select((card, index) => (Card: card, Index: index));
        var capable = all.Where(m => task.Capability is null
            || m.Card.Capabilities.Count == 0
            || m.Card.Capabilities.Contains(task.Capability, StringComparer.Ordinal)).ToList();
        return capable.Count > 0 ? capable : [.. all];
    }

    private static ChoiceQuestion Question(
        PlanTask task, List<(AgentCard Card, int Index)> candidates, IReadOnlyList<ChatMessage> context, ModelRequest request) => new()
        {
            Context = context,
            Evidence = task.Description,
            Options = [.. candidates.Select(c => new Choice(c.Card.Name, $"{c.Card.Role}. {c.Card.Description}"))],
            ChannelTemplate = "{name}: {description}\nA task that {name} does best: ",
            DirectCue = "\nDone best by: ",
            Request = request,
        };

    /// <summary>Each member has as many columns as there are tasks, each dearer than the one before.</summary>
    private static Assignment[] Assign(
        IReadOnlyList<PlanTask> tasks,
        IReadOnlyList<AgentCard> members,
        List<(AgentCard Card, int Index)>[] candidates,
        double[,] probabilities)
    {
        var costs = new double[tasks.Count, tasks.Count * members.Count];
        for (var t = 0; t < tasks.Count; t++)
        {
            for (var m = 0; m < members.Count; m++)
            {
                var cost = candidates[t].Exists(c => c.Index == m)
                    ? -Math.Log(Math.Max(probabilities[t, m], double.Epsilon))
                    : Forbidden;
                for (var slot = 0; slot < tasks.Count; slot++)
                {
                    costs[t, (m * tasks.Count) + slot] = cost + (CrowdingCost * slot);
                }
            }
        }

        var columns = AssignmentSolver.Solve(costs);
        return [.. tasks.Select((task, t) =>
        {
            var member = columns[t] / tasks.Count;
            var others = candidates[t].Where(c => c.Index != member).Select(c => probabilities[t, c.Index]).DefaultIfEmpty(0).Max();
            return new Assignment(task.Id, members[member].Name, probabilities[t, member], probabilities[t, member] - others);
        })];
    }
}
