namespace Orchestrator.Coordination;

/// <summary>The prompt templates that a run uses, apart from those that the team's file names.</summary>
public static class PromptNames
{
    /// <summary>
    /// What all members know from the start. Variables: <c>team</c>, <c>description</c>, <c>task</c>, <c>inputs</c>,
    /// <c>members</c> (each with <c>name</c>, <c>role</c>, <c>description</c>, <c>capabilities</c>, <c>tools</c>).
    /// </summary>
    public const string Preamble = "preamble";

    /// <summary>
    /// The cue of a task. Variables: those of a member, <c>goal</c>, <c>task</c>, <c>task_id</c>, <c>needs</c>,
    /// <c>inputs</c>. The cue of facts has the same.
    /// </summary>
    public const string Task = "task";

    /// <summary>The cue of a turn in the chat. Variables: those of a member, <c>question</c>, <c>goal</c>.</summary>
    public const string Discussion = "discussion";
}
