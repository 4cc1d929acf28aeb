using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>
/// A regular part of a grammar: an automaton, and bounds on the number of characters that it counts.
/// The lower bound is only for automata in which a character can follow wherever one has been counted.
/// </summary>
internal sealed class Terminal(ByteState start, int minCount = 0, int maxCount = int.MaxValue)
{
    public ByteState Start { get; } = start;

    public int MinCount { get; } = minCount;

    public int MaxCount { get; } = maxCount;

    /// <summary>The fewest bytes of a text.</summary>
    public int Shortest => Start.MinBytes + Math.Max(0, MinCount - Start.MinCharacters);
}
