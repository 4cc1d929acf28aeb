using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// Whether and how tokens are guessed ahead and checked in one batch (speculative decoding: Leviathan et al., ICML
/// 2023). What is generated does not depend on it: every token is drawn as it would be without, and a guess only
/// stands where it is the token drawn.
/// </summary>
public sealed record SpeculationOptions
{
    /// <summary>No speculation at all.</summary>
    public static SpeculationOptions Off { get; } = new() { MaxDraftTokens = 0 };

    /// <summary>
    /// Whether to guess that text which stood before goes on as it did (prompt lookup: Saxena 2023). Costs nothing
    /// where it finds nothing.
    /// </summary>
    public bool PromptLookup { get; init; } = true;

    /// <summary>The most tokens guessed ahead for one request in one step, 0 to 64; 0 turns speculation off.</summary>
    [Range(0, 64)]
    public int MaxDraftTokens { get; init; } = 16;

    /// <summary>
    /// The time that a batch of a number of tokens takes, in any unit; null measures it while serving. For tests.
    /// </summary>
    internal Func<int, double>? StepTime { get; init; }
}
