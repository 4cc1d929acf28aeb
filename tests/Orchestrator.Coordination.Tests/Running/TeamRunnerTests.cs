using System.Text.Json;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Running;

public sealed class TeamRunnerTests
{
    [Fact]
    public async Task A_run_plans_allocates_works_and_talks_and_says_so()
    {
        await using var run = new TestRun();
        var result = await run.RunAsync();
        Assert.Equal("completed", result.Reason);
        Assert.Equal(["ann", "bob", "cid"], result.Outcomes.Select(o => o.Agent));
        Assert.True(run.Disposed);
        Assert.Equal(
            [typeof(RunStarted), typeof(PlanMade), typeof(TaskAllocated), typeof(TaskAllocated), typeof(TaskAllocated)],
            run.Events.Take(5).Select(e => e.GetType()));
        Assert.IsType<RunFinished>(run.Events[^1]);
        Assert.Equal((6, 72L), (result.Usage.ModelCalls, result.Usage.ComputedTokens + result.Usage.GeneratedTokens));
        var started = run.Of<RunStarted>().Single();
        Assert.Equal(["discussion", "preamble", "task"], started.Prompts!.Keys.Order());
    }

    [Fact]
    public async Task A_team_may_bring_prompts_of_its_own_and_need_not_talk()
    {
        await using var run = new TestRun();
        run.Team = run.Team with
        {
            Prompts = new RunPrompts { Preamble = "plain-preamble", Task = "plain-task", Discussion = "no-such-prompt" },
            Protocol = new ProtocolDefinition { MaxRounds = 0 },
        };

        var result = await run.RunAsync();

        Assert.Equal(("completed", "cid speaks at 2"), (result.Reason, result.Summary));
        Assert.Empty(run.Of<RoundStarted>());
        Assert.Equal(["plain-preamble", "plain-task"], run.Of<RunStarted>().Single().Prompts!.Keys.Order());
        var turn = run.Members["ann"].Turns.Single();
        Assert.Equal("Find the cause Look.", turn.Cue);
        Assert.StartsWith("You help people.", turn.Transcript.Preamble, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_that_need_each_other_see_results_and_others_run_at_once_in_forks_of_one_transcript()
    {
        var together = new TaskCompletionSource();
        var waiting = 0;
        await using var run = new TestRun
        {
            Takes = async (name, turn, token) =>
            {
                if (turn.Cue.Contains("Look.", StringComparison.Ordinal) || turn.Cue.Contains("Count.", StringComparison.Ordinal))
                {
                    if (Interlocked.Increment(ref waiting) == 2)
                    {
                        together.SetResult();
                    }

                    await together.Task.WaitAsync(token);
                }

                return new AgentReply($"{name} is done");
            },
        };
        Assert.Equal("completed", (await run.RunAsync()).Reason);
        Assert.Equal(0, run.Members["ann"].Turns[0].Transcript.Count);
        Assert.Equal(0, run.Members["bob"].Turns[0].Transcript.Count);
        Assert.Equal(
            ["(result of look) ann is done", "(result of count) bob is done"],
            run.Members["cid"].Turns[0].Transcript.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task The_same_seed_gives_each_turn_the_same_seed_and_turns_differ()
    {
        async Task<long?[]> Seeds()
        {
            await using var run = new TestRun();
            await run.RunAsync();
            return [.. run.Members.Values.SelectMany(m => m.Turns).Select(t => t.Seed)];
        }

        var first = await Seeds();
        Assert.Equal(first, await Seeds());
        Assert.Equal(first.Length, first.Distinct().Count());
    }

    [Fact]
    public async Task A_failed_task_fails_those_that_need_it_with_the_reason_and_the_run_goes_on()
    {
        await using var run = new TestRun
        {
            Says = (name, turn) => turn.Cue.Contains("Look.", StringComparison.Ordinal) ? throw new InvalidOperationException("no eyes") : $"{name} speaks at {turn.Transcript.Count}",
        };
        var result = await run.RunAsync();
        Assert.Equal("completed", result.Reason);
        Assert.Equal([false, true, false], result.Outcomes.Select(o => o.Succeeded));
        Assert.Equal("no eyes", result.Outcomes[0].Result);
        Assert.Equal("It needs 'look', which failed.", result.Outcomes[2].Result);
        Assert.Contains(run.Of<RunFailed>(), e => e is { Agent: "ann", Message: "no eyes", Fatal: false });
    }

    [Fact]
    public async Task A_run_whose_tasks_all_fail_fails_with_the_cause()
    {
        await using var run = new TestRun { Says = (_, _) => throw new InvalidOperationException("the model is gone") };
        var result = await run.RunAsync();
        Assert.Equal("failed", result.Reason);
        Assert.Contains("the model is gone", result.Summary, StringComparison.Ordinal);
        Assert.True(run.Of<RunFailed>().Last().Fatal);
    }

    [Fact]
    public async Task Plan_only_stops_after_the_allocation()
    {
        await using var run = new TestRun { PlanOnly = true };
        var result = await run.RunAsync();
        Assert.Equal(("completed", 3), (result.Reason, result.Plan!.Tasks.Count));
        Assert.Empty(run.Of<TaskStarted>());
    }

    [Fact]
    public async Task Cancellation_is_the_last_event_even_if_nobody_listens_to_it()
    {
        using var stop = new CancellationTokenSource();
        await using var run = new TestRun
        {
            Takes = (_, _, _) =>
            {
                stop.Cancel();
                return new TaskCompletionSource<AgentReply>().Task;
            },
        };
        var result = await run.RunAsync(stop.Token);
        Assert.Equal("cancelled", result.Reason);
        Assert.Equal("cancelled", Assert.IsType<RunFinished>(run.Events[^1]).Reason);
    }

    [Theory]
    [InlineData(30, 200, "all 30 tokens are used", 3)]
    [InlineData(1000, 2, "all 2 tool calls are used", 3)]
    public async Task A_spent_budget_ends_the_run_with_the_reason(int tokens, int tools, string reason, int atMost)
    {
        await using var run = new TestRun
        {
            Takes = (name, turn, _) => Task.FromResult(new AgentReply(
                $"{name} speaks at {turn.Transcript.Count}", ToolResults: [new ToolResult("a-b", JsonDocument.Parse("{}").RootElement, "r")])),
        };
        run.Team = run.Team with { Budget = new BudgetDefinition { MaxTokens = tokens, MaxToolCalls = tools } };
        var result = await run.RunAsync();
        Assert.Equal("budget", result.Reason);
        Assert.Contains(reason, result.Summary, StringComparison.Ordinal);
        Assert.InRange(run.Of<ModelCalled>().Count(), 1, atMost);
        Assert.InRange(run.Of<ToolCalled>().Count(), 1, tools);
        Assert.Equal("budget", Assert.IsType<RunFinished>(run.Events[^1]).Reason);
    }

    [Fact]
    public async Task A_spent_time_budget_ends_the_run()
    {
        await using var run = new TestRun { Takes = (_, _, _) => new TaskCompletionSource<AgentReply>().Task };
        run.Team = run.Team with { Budget = new BudgetDefinition { MaxDuration = TimeSpan.FromMilliseconds(20) } };
        Assert.Equal("budget", (await run.RunAsync()).Reason);
    }

    [Fact]
    public async Task Facts_are_written_under_a_schema_and_shared()
    {
        await using var run = new TestRun
        {
            Says = (name, turn) => turn.Schema is null ? $"{name} speaks at {turn.Transcript.Count}" : """{"facts":[{"service":"db","line":3}]}""",
        };
        run.Team = run.Team with
        {
            Facts = new FactsDefinition { Schema = JsonDocument.Parse("""{"type":"object"}""").RootElement, MaxFacts = 2 },
        };
        Assert.Equal("completed", (await run.RunAsync()).Reason);
        var asked = run.Members["ann"].Turns[1];
        Assert.Equal(2, asked.Schema!.Value.GetProperty("properties").GetProperty("facts").GetProperty("maxItems").GetInt32());
        Assert.Equal(1, asked.Transcript.Count);
        var facts = run.Of<MessagePosted>().Where(m => m.Message.Content is not null).ToArray();
        Assert.Equal(3, facts.Length);
        Assert.Equal("(facts of look)\n- service: db, line: 3", facts[0].Message.Text);
        Assert.Equal("look", facts[0].TaskId);
    }

    [Fact]
    public async Task Facts_are_chosen_among_the_records_that_tools_gave()
    {
        const string Given = "a.log:3 db: disk full (7 times)\nno record\nb.log:9 web: slow";
        await using var run = new TestRun
        {
            Takes = (name, turn, _) => Task.FromResult(turn.Schema is not null
                ? new AgentReply("""{"facts":[{"source":"a.log:3","service":"db","kind":"cause"},{"source":"a.log:3","service":"db","kind":"symptom"}]}""")
                : new AgentReply($"{name} is done at {turn.Transcript.Count}", ToolResults: name == "cid" ? null : [new ToolResult("logs-find", JsonDocument.Parse("{}").RootElement, Given)])),
        };
        run.Team = run.Team with
        {
            Facts = new FactsDefinition
            {
                Schema = JsonDocument.Parse("""{"type":"object","properties":{"source":{"type":"string"},"service":{"type":"string"},"kind":{"enum":["cause","symptom"]}}}""").RootElement,
                Extract = @"^(?<source>\S+:\d+) (?<service>\w+): ",
            },
        };
        Assert.Equal("completed", (await run.RunAsync()).Reason);

        // Who has no records is not asked.
        Assert.DoesNotContain(run.Members["cid"].Turns, t => t.Schema is not null);
        var choices = run.Members["ann"].Turns[1].Schema!.Value.GetProperty("properties").GetProperty("facts").GetProperty("items").GetProperty("anyOf");
        Assert.Equal(["a.log:3 db", "b.log:9 web"], choices.EnumerateArray().Select(c => c.GetProperty("properties"))
            .Select(p => $"{p.GetProperty("source").GetProperty("const")} {p.GetProperty("service").GetProperty("const")}"));
        var facts = run.Of<MessagePosted>().First(m => m.Message.Content is not null).Message.Content!.Value;
        Assert.Equal("cause", Assert.Single(facts.EnumerateArray()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task The_team_votes_on_options_of_a_tool_with_the_tools_prior_each_member_by_what_it_found()
    {
        await using var run = new TestRun
        {
            Tool = (tool, arguments) => tool == "logs-rank" && arguments.GetProperty("top").GetString() == "2"
                ? """[{"name":"db","description":"The database.","logPrior":-0.1},{"name":"web","logPrior":-3}]"""
                : throw new InvalidOperationException(),
            Says = (name, _) => $"{name} saw something",
            Chooses = q => q.Options.Any(o => o.Name == "web") ? (q.Request.Agent == "ann" ? "web" : "db") : q.Options[0].Name,
        };
        run.Team = run.Team with
        {
            Protocol = new ProtocolDefinition
            {
                Kind = "roundRobin",
                MaxRounds = 1,
                Decision = new DecisionDefinition
                {
                    Question = "Which service failed first?",
                    OptionsFrom = "logs-rank",
                    Arguments = new Dictionary<string, string> { ["top"] = "2" },
                    Weight = 0.5,
                },
            },
        };
        var result = await run.RunAsync();
        Assert.Equal(("completed", "db"), (result.Reason, result.Decision!.Winner));
        Assert.Equal("Which service failed first? db", result.Summary);
        var decided = run.Of<DecisionMade>().Single();
        Assert.Equal(("db", "pooled"), (decided.Winner, decided.Rule));
        var ballots = run.Of<ChoiceMade>().Where(c => c.Scores.Any(s => s.Choice.Name == "web")).ToArray();
        Assert.Equal(["ann", "bob", "cid"], ballots.Select(b => b.Agent));
        Assert.All(ballots, b => Assert.DoesNotContain(
            new[] { "ann", "bob", "cid" }.Where(n => n != b.Agent), other => b.Evidence.Contains(other, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""[{"name":"a"},{"name":"a"}]""")]
    [InlineData("""[{"title":"a"}]""")]
    [InlineData("throw")]
    public async Task Options_that_cannot_be_read_fail_the_run_and_name_the_tool(string text)
    {
        await using var run = new TestRun { Tool = (_, _) => text == "throw" ? throw new InvalidOperationException("boom") : text };
        run.Team = run.Team with
        {
            Protocol = new ProtocolDefinition { Kind = "roundRobin", Decision = new DecisionDefinition { Question = "Which?", OptionsFrom = "logs-rank" } },
        };
        var result = await run.RunAsync();
        Assert.Equal("failed", result.Reason);
        Assert.Contains("logs-rank", result.Summary, StringComparison.Ordinal);
        Assert.NotNull(result.Error);
    }

    [Fact]
    public async Task The_deliverable_is_written_checked_and_moved_to_its_place()
    {
        string? draft = null;
        await using var run = new TestRun
        {
            Tool = (_, arguments) =>
            {
                draft = arguments.GetProperty("path").GetString()!;
                return File.ReadAllText(draft).Contains("cid Sum up", StringComparison.Ordinal) ? "" : "no narrative";
            },
            Says = (name, turn) => $"{name} {turn.Cue}",
        };
        run.Team = run.Team with { Deliverable = new DeliverableDefinition { Check = "x-check", Narrative = "narrative", Author = "cid" } };
        var result = await run.RunAsync();
        Assert.Equal("completed", result.Reason);
        Assert.Equal(Path.Combine(run.OutputFolder, "report.md"), result.Deliverable);
        var text = await File.ReadAllTextAsync(result.Deliverable!);
        Assert.StartsWith("# test: Find the cause", text, StringComparison.Ordinal);
        Assert.Contains("### tell: Tell.", text, StringComparison.Ordinal);
        Assert.False(File.Exists(draft));
        Assert.Equal(["report.md"], Directory.GetFileSystemEntries(run.OutputFolder).Select(Path.GetFileName));
        var written = run.Of<DeliverableWritten>().Single();
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(result.Deliverable!))), written.Sha256);
    }

    [Fact]
    public async Task A_deliverable_that_does_not_pass_is_mended_once_with_the_complaint_in_the_cue()
    {
        var checks = 0;
        await using var run = new TestRun { Tool = (_, _) => checks++ == 0 ? "line 4 cites nothing" : "" };
        run.Team = run.Team with { Deliverable = new DeliverableDefinition { Check = "x-check", Narrative = "narrative" } };
        Assert.Equal("completed", (await run.RunAsync()).Reason);
        Assert.Contains("line 4 cites nothing", run.Members["ann"].Turns[^1].Cue, StringComparison.Ordinal);
        Assert.Equal(2, checks);
    }

    [Fact]
    public async Task A_deliverable_that_never_passes_fails_the_run_and_is_not_delivered()
    {
        await using var run = new TestRun { Tool = (_, _) => "bad" };
        run.Team = run.Team with { Deliverable = new DeliverableDefinition { Check = "x-check" } };
        var result = await run.RunAsync();
        Assert.Equal("failed", result.Reason);
        Assert.Null(result.Deliverable);
        Assert.False(File.Exists(Path.Combine(run.OutputFolder, "report.md")));
        Assert.Contains("bad", result.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../report.md", null)]
    [InlineData("/etc/report.md", null)]
    [InlineData("", null)]
    [InlineData("report.md", "nobody")]
    public async Task A_deliverable_outside_the_output_folder_or_of_a_stranger_is_a_configuration_error(string file, string? author)
    {
        await using var run = new TestRun();
        run.Team = run.Team with { Deliverable = new DeliverableDefinition { File = file, Author = author } };
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => run.RunAsync());
        Assert.Equal(ErrorKind.Configuration, error.Kind);
        Assert.Empty(run.Events);
    }

    [Fact]
    public async Task A_missing_prompt_is_found_before_the_run_begins()
    {
        await using var run = new TestRun();
        run.Team = run.Team with { Deliverable = new DeliverableDefinition { Prompt = "no-such-prompt" } };
        await Assert.ThrowsAnyAsync<OrchestratorException>(() => run.RunAsync());
        Assert.Empty(run.Events);
    }

    [Fact]
    public async Task A_talk_that_goes_round_in_circles_is_stalled()
    {
        await using var run = new TestRun { Says = (_, _) => "We should look at this again some time." };
        run.Team = run.Team with { Protocol = run.Team.Protocol with { MaxRounds = 20 } };
        var result = await run.RunAsync();
        Assert.Equal("stalled", result.Reason);
        Assert.InRange(run.Of<RoundStarted>().Count(), 1, 2);
    }

    [Fact]
    public async Task What_an_abandoned_agent_does_after_the_end_is_not_in_the_record()
    {
        using var stop = new CancellationTokenSource();
        var release = new TaskCompletionSource();
        await using var run = new TestRun
        {
            Takes = async (_, _, _) =>
            {
                await stop.CancelAsync();
                await release.Task;
                return new AgentReply("late");
            },
        };
        await run.RunAsync(stop.Token);
        release.SetResult();
        await Task.Yield();
        Assert.IsType<RunFinished>(run.Events[^1]);
    }

    [Fact]
    public async Task The_planner_of_the_graph_kind_asks_the_model()
    {
        await using var run = new TestRun
        {
            Client = new ScriptedChatClient(ScriptedAnswer.Says("""{"tasks":[{"id":"t1","description":"look","needs":[],"capability":"bob"}]}"""))
            {
                ChoiceScorer = new ScriptedChoiceScorer(q => q.Options[0].Name),
            },
        };
        run.Team = run.Team with { Planner = new PlannerDefinition() };
        var result = await run.RunAsync();
        Assert.Equal("bob", Assert.Single(result.Outcomes).Agent);
        Assert.Equal("planner", run.Of<ModelCalled>().First().Agent);
    }
}
