using Orchestrator.Console.Runs;
using Orchestrator.Console.Tests.Terminal;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;

namespace Orchestrator.Console.Tests.Runs;

public sealed class RunViewTests
{
    private readonly ScriptedInteraction _terminal = new() { Live = true };
    private readonly RunView _view;

    public RunViewTests()
    {
        _view = new RunView(_terminal);
        Begin(_view);
    }

    [Fact]
    public void What_two_say_at_once_is_shown_whole_and_in_its_own_lane()
    {
        Say("ann", "It is ");
        Say("bob", "I see ");
        _view.OnEvent(new ToolCalled("1", "logs-search", default) { Agent = "bob" });
        Say("ann", "the database.");
        _view.OnEvent(Called("ann"));
        Say("bob", "nothing.");
        _view.OnEvent(Called("bob"));

        Assert.Equal(
            ["ann    │ It is the database.", "bob    │ ⚙ logs-search()", "ann    │ 2 tokens", "bob    │ I see nothing.", "bob    │ 2 tokens"],
            Lanes());
    }

    [Fact]
    public void A_task_s_tick_stands_on_a_line_of_its_own()
    {
        Say("ann", "It is ");
        _view.OnEvent(new TaskFinished(new TaskOutcome("t2", "bob", true, "ok")) { Agent = "bob" });
        Say("ann", "over.");
        _view.OnEvent(Called("ann"));

        Assert.Contains("\n  ✓ t2  ", _terminal.Shown, StringComparison.Ordinal);
        Assert.Equal(["ann    │ It is", "ann    │ over."], Lanes().Take(2));
    }

    [Fact]
    public void An_answer_that_was_streamed_is_not_shown_again_though_another_followed_it()
    {
        Say("ann", "It is the database.");
        _view.OnEvent(Called("ann"));
        Say("ann", "{\"facts\": []}");
        _view.OnEvent(Called("ann"));
        _view.OnEvent(new MessagePosted(new TeamMessage("ann", "(result of t1) It is the database.")));
        _view.OnEvent(new MessagePosted(new TeamMessage("ann", "(facts of t1) none")));

        Assert.Single(Lanes(), line => line.Contains("database", StringComparison.Ordinal));
        Assert.Contains("ann    │ (facts of t1) none", Lanes());
    }

    [Fact]
    public void A_long_remark_goes_on_in_its_lane_and_loses_nothing()
    {
        var path = string.Join(' ', Enumerable.Range(1, 30).Select(n => $"word{n}"));
        _view.OnEvent(new ToolReturned("1", "logs-search", path, false, TimeSpan.FromSeconds(1)) { Agent = "bob" });

        Assert.All(_terminal.Shown.Split('\n'), line => Assert.InRange(line.Length, 0, _terminal.Width));
        Assert.Contains("word30", _terminal.Shown, StringComparison.Ordinal);
        Assert.All(Lanes(), line => Assert.Contains("│", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(40, 160, "KV reused 80 %")]
    [InlineData(0, 0, "no prompt read")]
    public void A_footer_says_what_became_of_the_prompt(int computed, int reused, string expected)
    {
        _view.OnEvent(new ModelCalled("", new ModelCall { TokenIds = [1, 2], PromptTokens = 800, ComputedTokens = computed, ReusedTokens = reused })
        {
            Agent = "ann",
        });

        Assert.EndsWith($" · {expected}", _terminal.Shown.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_plan_goes_on_below_its_beginning()
    {
        var description = string.Join(' ', Enumerable.Repeat("word", 40)) + " end";
        _view.OnEvent(new PlanMade(new Plan("g", [new PlanTask("t9", description, [])]), []));

        Assert.Contains("\n        word", _terminal.Shown, StringComparison.Ordinal);
        Assert.All(_terminal.Shown.Split('\n'), line => Assert.InRange(line.Length, 0, _terminal.Width));
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("budget")]
    public void Why_a_run_ended_is_told_once(string reason)
    {
        var reported = new ScriptedInteraction();
        var quiet = new RunView(reported) { ErrorsAreReported = true };
        Begin(quiet);
        foreach (var view in new[] { quiet, _view })
        {
            view.OnEvent(new RunFailed("The disk is wet.", Fatal: true));
            view.OnEvent(new RunFinished(reason, "The disk is wet.", new RunUsage(0, 0, 0, 0, 0, 0, TimeSpan.Zero)));
        }

        Assert.Single(_terminal.Shown.Split('\n'), line => line == $"{reason} The disk is wet.");
        Assert.DoesNotContain("wet", reported.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_task_as_long_as_a_file_the_beginning_is_shown()
    {
        var terminal = new ScriptedInteraction();
        new RunView(terminal).OnEvent(new RunStarted(1, "r", "team", new string('x', 499) + "🚀" + new string('y', 9_500), 1, "tiny", ["ann"]));
        Assert.Contains($"task: {new string('x', 499)} … (10,001 characters)", terminal.Shown, StringComparison.Ordinal);
    }

    private static void Begin(RunView view) =>
        view.OnEvent(new RunStarted(1, "r", "team", "task", 1, "tiny", ["ann", "bob"]));

    private static ModelCalled Called(string agent) => new("", new ModelCall { TokenIds = [1, 2] }) { Agent = agent };

    private void Say(string agent, string text) => _view.Report(new TurnProgress(agent, null, text));

    /// <summary>The lines of lanes, footers cut to their first figure.</summary>
    private IReadOnlyList<string> Lanes() =>
        [.. _terminal.Shown.Split('\n').Where(line => line.Contains('│', StringComparison.Ordinal)).Select(line => line.Split(" · ")[0].TrimEnd())];
}
