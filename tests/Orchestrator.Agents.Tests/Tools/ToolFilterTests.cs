using System.Text.Json;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents.Tests.Tools;

public sealed class ToolFilterTests
{
    private readonly TestTeam _team = new();

    [Fact]
    public async Task What_a_tool_throws_is_its_result()
    {
        var result = await InvokeAsync("kit-fail");

        Assert.True(result.Failed);
        Assert.Equal("InvalidDataException: the disk is wet", result.Result);
        Assert.True(Assert.IsType<ToolReturned>(_team.Journal.Events[^1]).Failed);
    }

    [Theory]
    [InlineData("kit-hang")]
    [InlineData("kit-block")]
    public async Task A_tool_that_never_returns_is_abandoned_at_its_deadline(string tool)
    {
        _team.Policies[tool] = new ToolPolicy { SideEffects = SideEffects.None, Deadline = TimeSpan.FromSeconds(5) };
        var call = InvokeAsync(tool);
        await _team.Plugin.Started;
        Assert.False(call.IsCompleted);

        _team.Time.Advance(TimeSpan.FromSeconds(5));
        var result = await call;

        Assert.True(result.Failed);
        Assert.Contains($"'{tool}' did not return within 5 s and was abandoned", result.Result, StringComparison.Ordinal);
        var returned = Assert.IsType<ToolReturned>(_team.Journal.Events[^1]);
        Assert.Equal(TimeSpan.FromSeconds(5), returned.Duration);
        if (tool == "kit-hang")
        {
            Assert.True(_team.Plugin.HangToken.IsCancellationRequested);
        }
    }

    [Fact]
    public async Task Cancelling_returns_at_once_though_the_tool_blocks_and_is_on_record()
    {
        using var cancellation = new CancellationTokenSource();
        var call = InvokeAsync("kit-block", cancellationToken: cancellation.Token);
        await _team.Plugin.Started;

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal("cancelled", Assert.IsType<ToolReturned>(_team.Journal.Events[^1]).Result);
    }

    [Fact]
    public async Task Nobody_to_ask_means_denied()
    {
        _team.Policies["kit-look"] = new ToolPolicy();

        var result = await InvokeAsync("kit-look", new { file = "a" });

        Assert.True(result.Failed);
        Assert.Contains("nobody can be asked", result.Result, StringComparison.Ordinal);
        Assert.Equal(0, _team.Plugin.Calls);
        Assert.Equal("denied", _team.Journal.Events.OfType<ApprovalGiven>().Single().Decision);
    }

    [Fact]
    public async Task Once_is_asked_again_and_always_is_not()
    {
        _team.Policies["kit-look"] = new ToolPolicy();
        _team.Approver.Answers.Enqueue(ApprovalAnswer.Once);
        _team.Approver.Answers.Enqueue(ApprovalAnswer.Always);
        var tools = new KernelToolInvoker(_team.Kernel());

        for (var i = 0; i < 4; i++)
        {
            Assert.False((await InvokeAsync(tools, "kit-look", new { file = "a" })).Failed);
        }

        Assert.Equal(2, _team.Approver.Asked.Count);
        Assert.Equal(("ada", "kit-look", "Looks into a file."), (_team.Approver.Asked[0].Agent, _team.Approver.Asked[0].Tool, _team.Approver.Asked[0].Description));
        Assert.Equal(["once", "always"], _team.Journal.Events.OfType<ApprovalGiven>().Select(a => a.Decision));
    }

    [Fact]
    public async Task Never_is_asked_once()
    {
        _team.Policies["kit-look"] = new ToolPolicy();
        _team.Approver.Answers.Enqueue(ApprovalAnswer.Never);
        var tools = new KernelToolInvoker(_team.Kernel());

        Assert.True((await InvokeAsync(tools, "kit-look", new { file = "a" })).Failed);
        Assert.True((await InvokeAsync(tools, "kit-look", new { file = "b" })).Failed);

        Assert.Single(_team.Approver.Asked);
        Assert.Equal(0, _team.Plugin.Calls);
    }

    [Theory]
    [InlineData(Approval.Always, SideEffects.Any, true)]
    [InlineData(Approval.Never, SideEffects.Any, false)]
    [InlineData(Approval.Never, SideEffects.None, true)]
    [InlineData(Approval.Never, SideEffects.Output, true)]
    public async Task The_rules_decide_without_asking(Approval approval, SideEffects effects, bool goesAhead)
    {
        _team.Policies["kit-look"] = new ToolPolicy { Approval = approval, SideEffects = effects };

        var result = await InvokeAsync("kit-look", new { file = "a" });

        Assert.Equal(goesAhead, !result.Failed);
        Assert.Empty(_team.Approver.Asked);
    }

    [Fact]
    public async Task Secrets_are_not_recorded_but_the_tool_gets_them()
    {
        var team = new TestTeam { Redactor = new SecretRedactor("hunter2!") };

        var result = await InvokeAsync(new KernelToolInvoker(team.Kernel()), "kit-look", new { file = "hunter2!" });

        Assert.Equal("hunter2! says hello", result.Result);
        var called = Assert.IsType<ToolCalled>(team.Journal.Events[0]);
        Assert.Equal("""{"file":"[redacted]"}""", called.Arguments.GetRawText());
        Assert.Equal("[redacted] says hello", Assert.IsType<ToolReturned>(team.Journal.Events[1]).Result);
    }

    [Fact]
    public async Task A_tool_that_calls_another_is_recorded_with_it()
    {
        var result = await InvokeAsync("kit-nest");

        Assert.Equal("nested inner says hello", result.Result);
        Assert.Equal(
            [("team-1-1", "kit-nest"), ("team-1-1.1", "kit-look")],
            _team.Journal.Events.OfType<ToolCalled>().Select(c => (c.CallId, c.Tool)));
    }

    [Fact]
    public async Task A_long_result_is_cut_and_says_so()
    {
        var result = await InvokeAsync("kit-long");

        Assert.Equal(new string('x', 200) + "\n[800 more characters]", result.Result);
    }

    [Fact]
    public async Task Missing_arguments_are_a_result_and_no_crash()
    {
        var result = await InvokeAsync("kit-look");

        Assert.True(result.Failed);
        Assert.Contains("file", result.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_tool_names_the_near_one()
    {
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => InvokeAsync("kit-lok"));

        Assert.Contains("did you mean 'kit-look'?", error.Message, StringComparison.Ordinal);
    }

    private Task<ToolResult> InvokeAsync(
        string tool, object? arguments = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(new KernelToolInvoker(_team.Kernel()), tool, arguments, cancellationToken);

    private static Task<ToolResult> InvokeAsync(
        KernelToolInvoker tools, string tool, object? arguments, CancellationToken cancellationToken = default) =>
        tools.InvokeAsync(tool, JsonSerializer.SerializeToElement(arguments ?? new { }), cancellationToken);
}
