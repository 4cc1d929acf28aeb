using Orchestrator.Agents.Definitions;

namespace Orchestrator.Agents.Teams;

/// <summary>What a team file may hold.</summary>
internal static class TeamShape
{
    public const string ToolPattern = "^[A-Za-z][A-Za-z0-9_]*(-[A-Za-z0-9_-]+)?$";
    public const string ToolInWords = "PLUGIN or PLUGIN-FUNCTION";

    private static readonly TextShape Tool = new(ToolPattern, ToolInWords);

    private static readonly ObjectShape Member = new(
        "member",
        new("name", TextShape.Name, "What the member is called; unique in the team.", Required: true),
        new("role", TextShape.Any, "What it is, in a few words.", Required: true),
        new("description", TextShape.Any, "What it knows and does; tasks are weighed against it.", Required: true),
        new("capabilities", new ListShape(TextShape.Any), "Words that a plan may ask for."),
        new("plugins", new ListShape(Tool), "What it may call: a plugin, or one function as plugin-function."),
        new("prompt", TextShape.Name, "The prompt that tells it how to work; a file in prompts/."),
        new("adapter", TextShape.Any, "The adapter that its calls use: its name, or NAME*SCALE; several with ' + ' between them."),
        new("temperature", new NumberShape(0, 2), "How freely it speaks; 0 always takes the likeliest word.") { Default = 0.7 });

    private static readonly ObjectShape PlanTask = new(
        "task",
        new("id", TextShape.Name, "What the task is called; unique in the plan.", Required: true),
        new("description", TextShape.Any, "What is to be done.", Required: true),
        new("needs", new ListShape(TextShape.Name), "The tasks whose results it needs."),
        new("capability", TextShape.Any, "The capability that it asks for."));

    private static readonly ObjectShape Prompts = new(
        "prompts",
        new("preamble", TextShape.Name, "What all members know from the start.") { Default = "preamble" },
        new("task", TextShape.Name, "The cue of a task.") { Default = "task" },
        new("discussion", TextShape.Name, "The cue of a turn in the talk.") { Default = "discussion" });

    private static readonly ObjectShape Planner = new(
        "planner",
        new("kind", TextShape.Choice("graph", "fixed"), "graph: the planner writes the tasks; fixed: they stand below.") { Default = "graph" },
        new("prompt", TextShape.Name, "The planner's prompt; a file in prompts/.") { Default = "planner" },
        new("max_tasks", new IntegerShape(1, 64), "The most tasks that a plan may have.") { Default = 8 },
        new("tasks", new ListShape(PlanTask), "The tasks of a fixed plan."));

    private static readonly ObjectShape Option = new(
        "option",
        new("name", TextShape.Any, "Short and unique among the options.", Required: true),
        new("description", TextShape.Any, "What it means."),
        new("log_prior", new NumberShape(-1000, 1000), "Its log prior in nats.") { Default = 0 });

    private static readonly ObjectShape Decision = new(
        "decision",
        new("question", TextShape.Any, "What is decided.", Required: true),
        new("options", new ListShape(Option), "The options, where they are known beforehand."),
        new("options_from", Tool, "A function that gives the options as a JSON array of objects with name, description and logPrior."),
        new("arguments", new MapShape(TextShape.Any), "What the function is called with."),
        new("evidence", TextShape.Choice("own", "transcript"), "What a member weighs the options against: what it said itself, or what was said last.") { Default = "own" },
        new("rule", TextShape.Choice("pooled", "plurality"), "How votes become a decision.") { Default = "pooled" },
        new("weight", new NumberShape(0, 10), "How much the members' votes count against the prior.") { Default = 1 },
        new("per_token", new FlagShape(), "Whether votes count as a mean per token of what is weighed, rather than as a sum over all of it.") { Default = false },
        new("max_shift", new NumberShape(0, 1000), "By how many nats at most the votes move an option against the prior; without it there is no limit."));

    private static readonly ObjectShape Protocol = new(
        "protocol",
        new("kind", TextShape.Choice("moderated", "roundRobin"), "moderated: the next speaker is decided by likelihood; roundRobin: one after another.") { Default = "moderated" },
        new("max_rounds", new IntegerShape(0, 100), "The most rounds; in a round each member may speak once. 0: they don't talk.") { Default = 3 },
        new("question", TextShape.Any, "What the talk is to settle; the run's task where it is left out."),
        new("decision", Decision, "What the members vote on after they have talked."));

    private static readonly ObjectShape Facts = new(
        "facts",
        new("prompt", TextShape.Name, "The prompt that asks for them; a file in prompts/.") { Default = "facts" },
        new("schema", new AnythingShape(), "The JSON schema of one fact; bound its texts by maxLength.", Required: true),
        new("max_facts", new IntegerShape(1, 32), "The most facts of one task.") { Default = 4 },
        new("extract", TextShape.Any, "A regular expression with named groups; each match in what the tools gave is a fact to choose, and its groups are properties that can't be changed."));

    private static readonly ObjectShape Budget = new(
        "budget",
        new("max_tokens", new IntegerShape(1, int.MaxValue), "The most tokens of a run, prompts and answers.") { Default = 200_000 },
        new("max_tokens_per_turn", new IntegerShape(1, 1_000_000), "The most tokens of one answer.") { Default = 256 },
        new("max_tool_calls", new IntegerShape(0, 1_000_000), "The most tool calls of a run.") { Default = 200 },
        new("max_duration", new DurationShape(), "The most time of a run, as 30s, 5m or 1h.") { Default = "30m" });

    private static readonly ObjectShape Deliverable = new(
        "deliverable",
        new("file", TextShape.Any, "Its name in the run's output folder.") { Default = "report.md" },
        new("prompt", TextShape.Name, "The prompt that writes it; a file in prompts/.") { Default = "report" },
        new("narrative", TextShape.Name, "The prompt under which a member writes the text that the file takes as its narrative."),
        new("author", TextShape.Name, "The member who writes the narrative; the first where it is left out."),
        new("evidence", Tool, "A function that gets the decision and gives the evidence for it, which the file takes."),
        new("check", Tool, "A function that gets the file's path and gives what is wrong with it, or nothing."));

    public static ObjectShape File { get; } = new(
        "team",
        new("name", TextShape.Name, "The team's name; the file's name without .yaml where it is left out."),
        new("description", TextShape.Any, "What the team is for, in a sentence or two.", Required: true),
        new("model", TextShape.Any, "The model that all members run on: a name in the model store, or a path."),
        new("members", new ListShape(Member, 1), "Who is in the team.", Required: true),
        new("prompts", Prompts, "The prompts of a run as a whole; files in prompts/."),
        new("planner", Planner, "How work is planned."),
        new("protocol", Protocol, "How the members talk."),
        new("budget", Budget, "What a run may use at most."),
        new("facts", Facts, "What members write down after a task, in a form that programs read."),
        new("deliverable", Deliverable, "What a run delivers."),
        new("inputs", new MapShape(TextShape.Any), "Folders and values by name, given to plugins and prompts."));
}
