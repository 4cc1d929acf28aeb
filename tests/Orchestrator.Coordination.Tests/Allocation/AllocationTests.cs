using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Coordination.Allocation;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Allocation;

public sealed class AllocationTests
{
    [Property(MaxTest = 500)]
    public Property The_solver_finds_the_least_sum() => Prop.ForAll(
        (from rows in Gen.Choose(1, 4)
         from columns in Gen.Choose(rows, 6)
         from costs in Gen.ArrayOf(Gen.Choose(-20, 20), rows * columns)
         select (rows, columns, costs)).ToArbitrary(),
        c =>
        {
            var costs = new double[c.rows, c.columns];
            Buffer.BlockCopy(Array.ConvertAll(c.costs, x => (double)x), 0, costs, 0, c.costs.Length * sizeof(double));
            var columns = AssignmentSolver.Solve(costs);
            Assert.Equal(c.rows, columns.Distinct().Count());
            Assert.Equal(Least(costs, 0, 0), columns.Select((column, row) => costs[row, column]).Sum(), 9);
        });

    [Fact]
    public async Task Only_those_who_have_the_capability_are_candidates_and_all_tasks_are_scored_in_one_batch()
    {
        var scorer = new CountingScorer(new ScriptedChoiceScorer(q => q.Options[^1].Name));
        var assignments = await new LikelihoodAllocator(scorer).AllocateAsync(
            [new("t1", "read", [], "logs"), new("t2", "write", [], "write"), new("t3", "both", [], "logs"), new("t4", "odd", [], "fly")],
            [Card("ann", "logs"), Card("bob", "write"), Card("cid", "logs", "write")],
            [],
            new ModelRequest());
        Assert.Equal(1, scorer.Calls);
        Assert.All(scorer.Questions[..2], q => Assert.DoesNotContain(q.Options, o => o.Name == (q.Evidence == "write" ? "ann" : "bob")));
        Assert.Equal(3, scorer.Questions[3].Options.Count);
        Assert.Equal(["t1", "t2", "t3", "t4"], assignments.Select(a => a.TaskId));
        Assert.All(assignments, a => Assert.Equal("cid", a.Agent));
        Assert.All(assignments, a => Assert.InRange(a.Margin, 0.9, 1));
    }

    [Fact]
    public async Task Tasks_that_suit_all_alike_are_spread()
    {
        var scorer = new EvenScorer();
        var assignments = await new LikelihoodAllocator(scorer).AllocateAsync(
            [.. Enumerable.Range(0, 6).Select(i => new PlanTask($"t{i}", "x", []))],
            [Card("ann"), Card("bob"), Card("cid")],
            [],
            new ModelRequest());
        Assert.Equal([2, 2, 2], assignments.GroupBy(a => a.Agent).Select(g => g.Count()));
    }

    [Fact]
    public async Task One_member_needs_no_scoring()
    {
        var scorer = new CountingScorer(new EvenScorer());
        var assignments = await new LikelihoodAllocator(scorer).AllocateAsync(
            [new PlanTask("t1", "x", [])], [Card("ann")], [], new ModelRequest());
        Assert.Equal(0, scorer.Calls);
        Assert.Equal(new Assignment("t1", "ann", 1, 1), Assert.Single(assignments));
    }

    private static AgentCard Card(string name, params string[] capabilities) => new(name, "role", "what", capabilities, []);

    private static double Least(double[,] costs, int row, int taken) => row == costs.GetLength(0)
        ? 0
        : Enumerable.Range(0, costs.GetLength(1)).Where(c => (taken & (1 << c)) == 0)
            .Min(c => costs[row, c] + Least(costs, row + 1, taken | (1 << c)));

    private sealed class EvenScorer : IChoiceScorer
    {
        public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<ChoiceResult>>(
                [.. questions.Select(q => ChoiceQuestions.Normalise(q, [.. q.Options.Select(_ => -3d)], ChoiceMethod.Channel))]);
    }

    private sealed class CountingScorer(IChoiceScorer inner) : IChoiceScorer
    {
        internal int Calls { get; private set; }

        internal List<ChoiceQuestion> Questions { get; } = [];

        public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
        {
            Calls++;
            Questions.AddRange(questions);
            return inner.ScoreAsync(questions, cancellationToken);
        }
    }
}
