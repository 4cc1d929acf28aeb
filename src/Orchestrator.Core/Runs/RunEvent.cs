using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;

namespace Orchestrator.Core.Runs;

/// <summary>
/// Something that happened in a run. The events of a run, in order, are the single truth about it: the console, the
/// trace, the data set and the replay all read them.
/// </summary>
/// <remarks>
/// The names below are the format that is kept on disk. A new kind or a new optional property may be added; nothing is
/// renamed or removed without a new <see cref="RunLogFormat.Version"/>.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(RunStarted), "run.started")]
[JsonDerivedType(typeof(PlanMade), "plan.made")]
[JsonDerivedType(typeof(PlanRejected), "plan.rejected")]
[JsonDerivedType(typeof(TaskAllocated), "task.allocated")]
[JsonDerivedType(typeof(TaskStarted), "task.started")]
[JsonDerivedType(typeof(TaskFinished), "task.finished")]
[JsonDerivedType(typeof(RoundStarted), "round.started")]
[JsonDerivedType(typeof(MessagePosted), "message.posted")]
[JsonDerivedType(typeof(ModelCalled), "model.called")]
[JsonDerivedType(typeof(ChoiceMade), "choice.made")]
[JsonDerivedType(typeof(DecisionMade), "decision.made")]
[JsonDerivedType(typeof(ToolCalled), "tool.called")]
[JsonDerivedType(typeof(ToolReturned), "tool.returned")]
[JsonDerivedType(typeof(ApprovalGiven), "approval.given")]
[JsonDerivedType(typeof(DeliverableWritten), "deliverable.written")]
[JsonDerivedType(typeof(RunFailed), "run.failed")]
[JsonDerivedType(typeof(RunFinished), "run.finished")]
public abstract record RunEvent
{
    /// <summary>Its number in the run, from 0 without a gap; given by the journal.</summary>
    [JsonPropertyName("seq")]
    public long Sequence { get; init; }

    /// <summary>When it was recorded; given by the journal.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>The agent that it is about, or null.</summary>
    public string? Agent { get; init; }

    /// <summary>
    /// Whether the event must be on disk before the run goes on: what could not be repeated, or what others rely on.
    /// </summary>
    [JsonIgnore]
    public bool MustPersist => this is RunStarted or PlanMade or TaskFinished or ToolCalled or ToolReturned
        or DecisionMade or DeliverableWritten or RunFinished;
}

/// <summary>The format of a run's log.</summary>
public static class RunLogFormat
{
    /// <summary>The version that is written.</summary>
    public const int Version = 1;
}

/// <summary>The first event of each run.</summary>
/// <param name="FormatVersion">The log's format.</param>
/// <param name="RunId">The run.</param>
/// <param name="Team">The team's name.</param>
/// <param name="Task">What the team was asked to do.</param>
/// <param name="Seed">The seed that all others are drawn from.</param>
/// <param name="Model">The model's name, or null.</param>
/// <param name="Members">The members' names.</param>
/// <param name="Prompts">The prompt templates used and the SHA-256 of each.</param>
public sealed record RunStarted(
    int FormatVersion,
    string RunId,
    string Team,
    string Task,
    ulong Seed,
    string? Model,
    IReadOnlyList<string> Members,
    IReadOnlyDictionary<string, string>? Prompts = null) : RunEvent;

/// <summary>A plan passed validation.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Repairs">What was mended to make it valid, in words.</param>
public sealed record PlanMade(Plan Plan, IReadOnlyList<string> Repairs) : RunEvent;

/// <summary>A plan did not pass validation.</summary>
/// <param name="Text">What the planner wrote.</param>
/// <param name="Reasons">What is wrong with it.</param>
public sealed record PlanRejected(string Text, IReadOnlyList<string> Reasons) : RunEvent;

/// <summary>A task was given to an agent.</summary>
/// <param name="Assignment">Who does what.</param>
public sealed record TaskAllocated(Assignment Assignment) : RunEvent;

/// <summary>An agent began a task.</summary>
/// <param name="TaskId">The task.</param>
public sealed record TaskStarted(string TaskId) : RunEvent;

/// <summary>A task ended.</summary>
/// <param name="Outcome">How.</param>
public sealed record TaskFinished(TaskOutcome Outcome) : RunEvent;

/// <summary>A round of a conversation began.</summary>
/// <param name="Round">Its number, from 1.</param>
/// <param name="MaxRounds">How many there are at most.</param>
public sealed record RoundStarted(int Round, int MaxRounds) : RunEvent;

/// <summary>Somebody said something that the team sees.</summary>
/// <param name="Message">What was said.</param>
/// <param name="Cue">The cue that it answers, or null.</param>
/// <param name="TaskId">The task that it belongs to, or null.</param>
public sealed record MessagePosted(TeamMessage Message, string? Cue = null, string? TaskId = null) : RunEvent;

/// <summary>The model answered.</summary>
/// <param name="Text">The answer's text.</param>
/// <param name="Call">Token ids, log-probabilities, seed, prompt hash and cost; null for a model that gives none.</param>
/// <param name="FinishReason">Why it stopped.</param>
/// <param name="Adapters">The adapters that were active.</param>
/// <param name="ToolRequests">The tool calls that the answer asks for, or null for none.</param>
public sealed record ModelCalled(
    string Text,
    ModelCall? Call,
    string? FinishReason = null,
    IReadOnlyList<AdapterUse>? Adapters = null,
    IReadOnlyList<ToolRequest>? ToolRequests = null) : RunEvent;

/// <summary>A tool call that an answer asks for.</summary>
/// <param name="CallId">The call's id, as the model's client gave it.</param>
/// <param name="Tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="Arguments">The arguments as the model wrote them.</param>
public sealed record ToolRequest(string CallId, string Tool, JsonElement Arguments);

/// <summary>A choice was decided by likelihood.</summary>
/// <param name="Evidence">What the options were weighed against.</param>
/// <param name="Method">How they were scored.</param>
/// <param name="Scores">The options with their probabilities.</param>
/// <param name="ComputedTokens">Tokens computed for it.</param>
/// <param name="ReusedTokens">Tokens found in the cache.</param>
public sealed record ChoiceMade(
    string Evidence, ChoiceMethod Method, IReadOnlyList<ChoiceScore> Scores, int ComputedTokens, int ReusedTokens) : RunEvent;

/// <summary>The team decided by a vote; each ballot is a <see cref="ChoiceMade"/> before it.</summary>
/// <param name="Question">What was decided.</param>
/// <param name="Rule">How votes became a decision: <c>pooled</c> or <c>plurality</c>.</param>
/// <param name="Winner">The option that won.</param>
/// <param name="Margin">Its share less that of the next, 0 to 1.</param>
/// <param name="Shares">The options with their shares, which sum to 1, highest first.</param>
public sealed record DecisionMade(
    string Question, string Rule, string Winner, double Margin, IReadOnlyList<OptionShare> Shares) : RunEvent;

/// <summary>How much of a vote an option got.</summary>
/// <param name="Option">The option's name.</param>
/// <param name="Share">Its share, 0 to 1.</param>
public sealed record OptionShare(string Option, double Share);

/// <summary>A tool is about to be called. On disk before the call, so that no side effect is forgotten.</summary>
/// <param name="CallId">Ties it to its <see cref="ToolReturned"/>.</param>
/// <param name="Tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="Arguments">The arguments, secrets redacted.</param>
public sealed record ToolCalled(string CallId, string Tool, JsonElement Arguments) : RunEvent;

/// <summary>A tool returned, threw, was denied, or ran past its deadline.</summary>
/// <param name="CallId">The call.</param>
/// <param name="Tool">The tool.</param>
/// <param name="Result">What it gave, or the error.</param>
/// <param name="Failed">Whether it gave an error.</param>
/// <param name="Duration">How long it took.</param>
public sealed record ToolReturned(string CallId, string Tool, string Result, bool Failed, TimeSpan Duration) : RunEvent;

/// <summary>A side effect was allowed or denied.</summary>
/// <param name="Tool">The tool that asked.</param>
/// <param name="Decision"><c>once</c>, <c>always</c>, <c>never</c>, or <c>denied</c> where nobody could be asked.</param>
public sealed record ApprovalGiven(string Tool, string Decision) : RunEvent;

/// <summary>The run's result is in its output folder.</summary>
/// <param name="Path">The file, relative to the output folder.</param>
/// <param name="Sha256">Its content's hash.</param>
public sealed record DeliverableWritten(string Path, string Sha256) : RunEvent;

/// <summary>Something failed, with its cause; the run may go on.</summary>
/// <param name="Message">What happened.</param>
/// <param name="Fatal">Whether the run ends by it.</param>
public sealed record RunFailed(string Message, bool Fatal) : RunEvent;

/// <summary>The last event of each run that ended by itself.</summary>
/// <param name="Reason"><c>completed</c>, <c>failed</c>, <c>budget</c>, <c>stalled</c> or <c>cancelled</c>.</param>
/// <param name="Summary">The result in a few lines.</param>
/// <param name="Usage">What the run used.</param>
public sealed record RunFinished(string Reason, string Summary, RunUsage Usage) : RunEvent;

/// <summary>What a run used.</summary>
/// <param name="ModelCalls">Answers generated.</param>
/// <param name="Choices">Choices decided.</param>
/// <param name="ToolCalls">Tools called.</param>
/// <param name="ComputedTokens">Prompt tokens computed.</param>
/// <param name="ReusedTokens">Prompt tokens found in the cache.</param>
/// <param name="GeneratedTokens">Answer tokens.</param>
/// <param name="Duration">Wall time.</param>
public sealed record RunUsage(
    int ModelCalls, int Choices, int ToolCalls, long ComputedTokens, long ReusedTokens, long GeneratedTokens, TimeSpan Duration);
