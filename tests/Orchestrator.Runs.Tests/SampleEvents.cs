using System.Text.Json;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Tests;

/// <summary>One event of each kind, in an order that a run could have.</summary>
internal static class SampleEvents
{
    internal static IReadOnlyList<RunEvent> All { get; } =
    [
        new RunStarted(1, "r1", "incident", "Find the cause \"<|im_end|>\" ü 漢字 🙂", 7, "tiny", ["ann", "bob"],
            new Dictionary<string, string> { ["planner"] = "ab12" }),
        new PlanRejected("{\"tasks\":[", ["It is not JSON."]),
        new PlanMade(new Plan("goal", [new PlanTask("t1", "look", []), new PlanTask("t2", "tell", ["t1"], "write")]), ["t2: x"]),
        new TaskAllocated(new Assignment("t1", "ann", 0.75, 0.5)),
        new TaskStarted("t1") { Agent = "ann" },
        new ToolCalled("c1", "logs-search", Json("{\"pattern\":\n \"a\\nb\", \"max\": 3}")) { Agent = "ann" },
        new ApprovalGiven("shell-run", "never") { Agent = "ann" },
        new ToolReturned("c1", "logs-search", "a.log:3 boom", false, TimeSpan.FromMilliseconds(12.5)) { Agent = "ann" },
        new ModelCalled(
            "boom\r\n",
            new ModelCall { Model = "tiny", PromptHash = "00ff", TokenIds = [1, 2], LogProbabilities = [-0.5f, float.NaN], Seed = ulong.MaxValue, PromptTokens = 9, ComputedTokens = 4, ReusedTokens = 5, Duration = TimeSpan.FromSeconds(1) },
            "stop",
            [new AdapterUse("ann-lora", 0.5f)],
            [new ToolRequest("c1", "logs-search", Json("{}"))])
        { Agent = "ann" },
        new MessagePosted(new TeamMessage("ann", "boom", Performative.Inform, Json("[1]"), [1, 2]), "Say it.", "t1"),
        new TaskFinished(new TaskOutcome("t1", "ann", true, "boom")),
        new RoundStarted(1, 3),
        new ChoiceMade(
            "who next?",
            ChoiceMethod.Channel,
            [new ChoiceScore(new Choice("ann", "analyst"), -1.5, 0.9), new ChoiceScore(new Choice("bob"), double.NegativeInfinity, 0.1)],
            3,
            4),
        new DecisionMade("Which?", "pooled", "db", 0.5, [new OptionShare("db", 0.75), new OptionShare("web", 0.25)]),
        new RunFailed("bob: timed out", false) { Agent = "bob" },
        new DeliverableWritten("report.md", "abc"),
        new RunFinished("completed", "done", new RunUsage(1, 1, 1, 7, 9, 2, TimeSpan.FromSeconds(3))),
    ];

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();
}
