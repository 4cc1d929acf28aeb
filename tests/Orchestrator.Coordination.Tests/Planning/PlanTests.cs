using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Coordination.Planning;
using Orchestrator.Core;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Tests.Planning;

public sealed class PlanTests
{
    private static readonly string[] Capabilities = ["logs", "write"];

    private static readonly Gen<PlanTask> AnyTask =
        from id in Gen.Elements("t1", "t2", "t3", "t4", "")
        from description in Gen.Elements("look", "tell", " ")
        from needs in Gen.ListOf(Gen.Elements("t1", "t2", "t3", "t4", "t9"))
        from capability in Gen.Elements("logs", "write", "fly", null)
        select new PlanTask(id, description, [.. needs], capability);

    private static readonly Gen<Plan> AnyPlan = Gen.ListOf(AnyTask).Select(tasks => new Plan("goal", [.. tasks]));

    [Property(MaxTest = 1000)]
    public Property Any_plan_can_be_mended_and_then_runs_in_waves() => Prop.ForAll(AnyPlan.ToArbitrary(), plan =>
    {
        var (mended, repairs) = PlanRepair.Mend(plan, Capabilities, 5);
        Assert.Empty(PlanValidator.Validate(mended, Capabilities, 5));
        Assert.Equal(mended.Tasks.Count, PlanGraph.Waves(mended).Sum(w => w.Count));
        Assert.Equal(PlanValidator.Validate(plan, Capabilities, 5).Count == 0, repairs.Count == 0);
    });

    [Property(MaxTest = 300)]
    public Property A_valid_plan_is_left_alone() => Prop.ForAll(AnyPlan.ToArbitrary(), plan =>
    {
        var (mended, _) = PlanRepair.Mend(plan, Capabilities, 5);
        var (again, repairs) = PlanRepair.Mend(mended, Capabilities, 5);
        Assert.Empty(repairs);
        Assert.Equal(mended.Tasks.Select(t => (t.Id, t.Capability)), again.Tasks.Select(t => (t.Id, t.Capability)));
    });

    [Fact]
    public void Each_fault_of_a_plan_is_named()
    {
        var plan = new Plan("g",
        [
            new PlanTask("a", "x", ["b"]), new PlanTask("b", "x", ["c"]), new PlanTask("c", "x", ["a", "zz"], "fly"), new PlanTask("c", "", []),
        ]);
        Assert.Equal(
        [
            "The plan has 4 tasks; 3 are allowed.",
            "2 tasks have the id 'c'.",
            "Task 'c' needs 'zz', which is not in the plan.",
            "Task 'c' asks for the capability 'fly', which no member has.",
            "Task 'c' says nothing.",
            "The tasks a → b → c → a wait for each other.",
        ],
            PlanValidator.Validate(plan, Capabilities, 3));
    }

    [Fact]
    public void A_cycle_in_a_long_chain_is_found()
    {
        var tasks = Enumerable.Range(0, 5000).Select(i => new PlanTask($"t{i}", "x", [$"t{(i + 1) % 5000}"])).ToArray();
        Assert.Equal(5001, PlanGraph.FindCycle(new Plan("g", tasks))!.Count);
        tasks[^1] = tasks[^1] with { Needs = [] };
        Assert.Null(PlanGraph.FindCycle(new Plan("g", tasks)));
    }

    [Fact]
    public void A_cyclic_fixed_plan_is_a_configuration_error_that_names_file_and_cycle()
    {
        var team = new TeamDefinition
        {
            Name = "x",
            Description = "",
            SourcePath = "teams/x.yaml",
            Members = [new MemberDefinition { Name = "ann", Role = "", Description = "" }],
            Planner = new PlannerDefinition
            {
                Kind = "fixed",
                Tasks =
                [
                    new TaskDefinition { Id = "a", Description = "x", Needs = ["b"] },
                    new TaskDefinition { Id = "b", Description = "x", Needs = ["a"] },
                ],
            },
        };
        var error = Assert.Throws<OrchestratorException>(() => FixedPlanner.Validate(team));
        Assert.Equal(ErrorKind.Configuration, error.Kind);
        Assert.Contains("teams/x.yaml", error.Message, StringComparison.Ordinal);
        Assert.Contains("a → b → a", error.Message, StringComparison.Ordinal);
    }
}
