using System.Text.Json;

namespace Orchestrator.Core.Teams;

/// <summary>A team as its file describes it.</summary>
public sealed record TeamDefinition
{
    /// <summary>The team's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the team is for, in a sentence or two.</summary>
    public required string Description { get; init; }

    /// <summary>The model that all members run on: a name in the model store or a path; null for the one configured.</summary>
    public string? Model { get; init; }

    /// <summary>The members, in order; names differ.</summary>
    public required IReadOnlyList<MemberDefinition> Members { get; init; }

    /// <summary>The prompts of the run as a whole.</summary>
    public RunPrompts Prompts { get; init; } = new();

    /// <summary>How work is planned: <c>graph</c> (the planner writes it) or <c>fixed</c> (the tasks below).</summary>
    public PlannerDefinition Planner { get; init; } = new();

    /// <summary>How the members talk.</summary>
    public ProtocolDefinition Protocol { get; init; } = new();

    /// <summary>What a run may use at most.</summary>
    public BudgetDefinition Budget { get; init; } = new();

    /// <summary>What members write down after a task, in a form that programs read; null for nothing.</summary>
    public FactsDefinition? Facts { get; init; }

    /// <summary>What the run delivers.</summary>
    public DeliverableDefinition? Deliverable { get; init; }

    /// <summary>Input folders and values by name, given to plugins and prompts; the command line may replace them.</summary>
    public IReadOnlyDictionary<string, string> Inputs { get; init; } = new Dictionary<string, string>();

    /// <summary>The file that this was read from, or null.</summary>
    public string? SourcePath { get; init; }
}

/// <summary>One member of a team.</summary>
public sealed record MemberDefinition
{
    /// <summary>Short and unique in the team.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a few words.</summary>
    public required string Role { get; init; }

    /// <summary>What it knows and does.</summary>
    public required string Description { get; init; }

    /// <summary>Words that a plan may ask for.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>The plugins whose functions it may call: <c>plugin</c> for all of them, <c>plugin-function</c> for one.</summary>
    public IReadOnlyList<string> Plugins { get; init; } = [];

    /// <summary>The prompt template of its turns, by name; null for the team's.</summary>
    public string? Prompt { get; init; }

    /// <summary>The adapters that its calls use, as <see cref="Models.AdapterUse.Parse"/> reads them, or null for the base model.</summary>
    public string? Adapter { get; init; }

    /// <summary>Sampling temperature, 0 to 2; 0 is greedy.</summary>
    public float Temperature { get; init; } = 0.7f;
}

/// <summary>The prompt templates of a run as a whole, by name.</summary>
public sealed record RunPrompts
{
    /// <summary>
    /// What all members know from the start. Variables: <c>team</c>, <c>description</c>, <c>task</c>, <c>inputs</c>,
    /// <c>members</c> (each with <c>name</c>, <c>role</c>, <c>description</c>, <c>capabilities</c>, <c>tools</c>).
    /// </summary>
    public string Preamble { get; init; } = "preamble";

    /// <summary>
    /// The cue of a task. Variables: those of a member, <c>goal</c>, <c>task</c>, <c>task_id</c>, <c>needs</c>,
    /// <c>inputs</c>. The cue of facts has the same.
    /// </summary>
    public string Task { get; init; } = "task";

    /// <summary>The cue of a turn in the talk. Variables: those of a member, <c>question</c>, <c>goal</c>.</summary>
    public string Discussion { get; init; } = "discussion";
}

/// <summary>How work is planned.</summary>
public sealed record PlannerDefinition
{
    /// <summary>The kind of planner: <c>graph</c> or <c>fixed</c>.</summary>
    public string Kind { get; init; } = "graph";

    /// <summary>The prompt template of the planner, by name.</summary>
    public string Prompt { get; init; } = "planner";

    /// <summary>The most tasks that a plan may have, 1 to 64.</summary>
    public int MaxTasks { get; init; } = 8;

    /// <summary>The tasks of a fixed plan.</summary>
    public IReadOnlyList<TaskDefinition> Tasks { get; init; } = [];
}

/// <summary>A task of a fixed plan.</summary>
public sealed record TaskDefinition
{
    /// <summary>Short and unique in the plan.</summary>
    public required string Id { get; init; }

    /// <summary>What is to be done.</summary>
    public required string Description { get; init; }

    /// <summary>The tasks whose results it needs.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>The capability that it asks for, or null.</summary>
    public string? Capability { get; init; }
}

/// <summary>How the members talk.</summary>
public sealed record ProtocolDefinition
{
    /// <summary>The kind of protocol: <c>moderated</c> or <c>roundRobin</c>.</summary>
    public string Kind { get; init; } = "moderated";

    /// <summary>The most rounds, 0 to 100; in a round each member may speak once. 0 is no talk at all.</summary>
    public int MaxRounds { get; init; } = 3;

    /// <summary>What the chat is to settle, or null for the run's task.</summary>
    public string? Question { get; init; }

    /// <summary>What the members vote on after they have talked, or null for nothing.</summary>
    public DecisionDefinition? Decision { get; init; }
}

/// <summary>
/// A vote of all members by likelihood. The options stand in the team's file or come from a tool, with the tool's
/// prior; the evidence is what the members said.
/// </summary>
public sealed record DecisionDefinition
{
    /// <summary>What is decided.</summary>
    public required string Question { get; init; }

    /// <summary>The options, where they are known beforehand.</summary>
    public IReadOnlyList<OptionDefinition> Options { get; init; } = [];

    /// <summary>
    /// A tool (<c>plugin-function</c>) that gives the options as a JSON array of objects with <c>name</c>, and where
    /// they are known <c>description</c> and <c>logPrior</c> (nats); null for the options above.
    /// </summary>
    public string? OptionsFrom { get; init; }

    /// <summary>What the tool is called with.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// What a member weighs the options against: <c>own</c> (what it found and said itself) or <c>transcript</c>
    /// (what was said last, whoever said it).
    /// </summary>
    public string Evidence { get; init; } = "own";

    /// <summary>How votes become a decision: <c>pooled</c> (log-linear) or <c>plurality</c>.</summary>
    public string Rule { get; init; } = "pooled";

    /// <summary>How much the members' likelihoods count against the prior, 0 to 10; 1 is as computed.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>
    /// Whether a member's log-likelihoods count as a mean per token of its evidence rather than as their sum. The sum over a
    /// long text makes a model far surer than it is right.
    /// </summary>
    public bool PerToken { get; init; }

    /// <summary>
    /// By how many nats at most the members together move an option against the prior, up or down; null for no limit. So
    /// a prior that is surer than twice this stands, whatever the members say.
    /// </summary>
    public double? MaxShift { get; init; }
}

/// <summary>Something that can be decided for.</summary>
public sealed record OptionDefinition
{
    /// <summary>Short and unique among the options.</summary>
    public required string Name { get; init; }

    /// <summary>What it means, or null.</summary>
    public string? Description { get; init; }

    /// <summary>Its log prior in nats.</summary>
    public double LogPrior { get; init; }
}

/// <summary>What a member writes down after a task: a bounded list of facts under a JSON schema.</summary>
public sealed record FactsDefinition
{
    /// <summary>The prompt template of the cue, by name.</summary>
    public string Prompt { get; init; } = "facts";

    /// <summary>The JSON schema of one fact; text in it is best bounded by <c>maxLength</c>.</summary>
    public required JsonElement Schema { get; init; }

    /// <summary>The most facts of one task, 1 to 32.</summary>
    public int MaxFacts { get; init; } = 4;

    /// <summary>
    /// A regular expression whose named groups are properties of the schema; null lets the member write all of them. Each
    /// match in what the task's tools gave is a candidate: the member chooses among these records, whose values it cannot
    /// change, and writes the other properties. A task whose tools gave no match brings no facts.
    /// </summary>
    public string? Extract { get; init; }
}

/// <summary>What a run may use at most. A budget is checked before work is done, and its end is the run's reason to end.</summary>
public sealed record BudgetDefinition
{
    /// <summary>The most tokens that a run may compute, prompts and answers.</summary>
    public int MaxTokens { get; init; } = 200_000;

    /// <summary>The most tokens of one answer.</summary>
    public int MaxTokensPerTurn { get; init; } = 256;

    /// <summary>The most tool calls of a run.</summary>
    public int MaxToolCalls { get; init; } = 200;

    /// <summary>The most wall time of a run.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromMinutes(30);
}

/// <summary>The file that a run delivers.</summary>
public sealed record DeliverableDefinition
{
    /// <summary>Its name in the run's output folder.</summary>
    public string File { get; init; } = "report.md";

    /// <summary>The prompt template that is filled in to make the file, by name.</summary>
    public string Prompt { get; init; } = "report";

    /// <summary>
    /// The prompt template of the cue under which a member writes the text that the file's template takes as
    /// <c>narrative</c>, by name; null for a file without one.
    /// </summary>
    public string? Narrative { get; init; }

    /// <summary>The member who writes the narrative, or null for the first.</summary>
    public string? Author { get; init; }

    /// <summary>
    /// A tool (<c>plugin-function</c>) that gives the evidence for what was decided, or null. It gets the
    /// <c>decision</c>; the file's template takes what it gives as <c>evidence</c>.
    /// </summary>
    public string? Evidence { get; init; }

    /// <summary>
    /// A tool (<c>plugin-function</c>) that checks the file before it is delivered, or null. It gets the path and
    /// gives an empty text, or what is wrong.
    /// </summary>
    public string? Check { get; init; }
}
