using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Agents.Prompts;
using Orchestrator.Coordination.Planning;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Planning;

public sealed class GraphPlannerTests : IDisposable
{
    private readonly PromptLibrary _prompts = TestPrompts.Shipped();

    public void Dispose() => _prompts.Dispose();

    [Fact]
    public async Task A_valid_plan_is_taken_as_written()
    {
        using var client = ScriptedChatClient.Saying("""{"tasks":[{"id":"t1","description":"look","needs":[],"capability":"logs"},{"id":"t2","description":"tell","needs":["t1"],"capability":"any"}]}""");
        var (plan, events) = await PlanAsync(client);
        Assert.Equal([("t1", "logs"), ("t2", null)], plan.Tasks.Select(t => (t.Id, t.Capability)));
        Assert.Empty(Assert.IsType<PlanMade>(Assert.Single(events)).Repairs);
        var format = Assert.IsType<ChatResponseFormatJson>(client.Requests[0].Options!.ResponseFormat);
        Assert.Contains("\"maxItems\":3", format.Schema!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_that_is_not_valid_is_written_again_with_the_reasons_in_the_prompt_and_then_mended()
    {
        const string Cyclic = """{"tasks":[{"id":"t1","description":"look","needs":["t2"]},{"id":"t2","description":"tell","needs":["t1"]}]}""";
        using var client = ScriptedChatClient.Saying(Cyclic, Cyclic);
        var (plan, events) = await PlanAsync(client);
        Assert.Contains("The tasks t1 → t2 → t1 wait for each other.", client.Requests[1].LastText, StringComparison.Ordinal);
        Assert.Equal([typeof(PlanRejected), typeof(PlanRejected), typeof(PlanMade)], events.Select(e => e.GetType()));
        Assert.Single(((PlanMade)events[2]).Repairs);
        Assert.Equal([1, 0], plan.Tasks.Select(t => t.Needs.Count));
    }

    [Property(MaxTest = 200)]
    public Property Whatever_the_model_writes_there_is_a_valid_plan() => Prop.ForAll(
        Gen.ArrayOf(Gen.Elements("{\"tasks\":[", "{\"id\":\"t1\",", "\"description\":\"x\",", "\"needs\":[]}", "]}", "null", "[1]", "{}", "```json", " "), 6)
            .ToArbitrary(),
        parts =>
        {
            using var client = ScriptedChatClient.Saying(string.Concat(parts), string.Concat(parts.Reverse()));
            var (plan, events) = PlanAsync(client).GetAwaiter().GetResult();
            Assert.Empty(PlanValidator.Validate(plan, ["logs"], 3));
            Assert.IsType<PlanMade>(events[^1]);
        });

    private async Task<(Plan Plan, IReadOnlyList<RunEvent> Events)> PlanAsync(ScriptedChatClient client)
    {
        await using var journal = new MemoryRunJournal("r1", TimeProvider.System);
        var plan = await new GraphPlanner(client, _prompts, journal).PlanAsync(new PlanRequest
        {
            Goal = "Find the cause",
            Members = [new AgentCard("ann", "analyst", "Reads logs.", ["logs"], [])],
            Transcript = Transcript.Begin("You are a team."),
            MaxTasks = 3,
        });
        return (plan, journal.Events);
    }
}
