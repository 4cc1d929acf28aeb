using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Coordination;

/// <summary>How runs are carried out.</summary>
public sealed class CoordinationOptions
{
    /// <summary>The section of the configuration that these are read from.</summary>
    public const string Section = "Orchestrator:Coordination";

    /// <summary>After how long a turn without an answer has failed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan TurnTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an agent that was stopped may take to tidy up before it is abandoned.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan CancellationGrace { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the model may write a plan before it is mended by rules.</summary>
    [Range(1, 10)]
    public int PlanAttempts { get; set; } = 2;

    /// <summary>How many tasks run at once.</summary>
    [Range(1, 64)]
    public int MaxParallelTasks { get; set; } = 8;

    /// <summary>How much of a tool's result the team sees on the transcript, in characters.</summary>
    [Range(0, 1_000_000)]
    public int MaxToolResultCharacters { get; set; } = 800;

    /// <summary>How much of the conversation a decision weighs, in characters.</summary>
    [Range(16, 1_000_000)]
    public int MaxEvidenceCharacters { get; set; } = 1200;
}
