using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>How one method did in one kind of choices.</summary>
/// <param name="Method">The method; <see cref="ChoiceMethod.Auto"/> for the default.</param>
/// <param name="Cases">How many cases were decided.</param>
/// <param name="Right">How many of them were right.</param>
/// <param name="Tokens">Tokens computed for a decision on average, once the options were decided among before.</param>
/// <param name="Seconds">Seconds that a decision took on average.</param>
public sealed record MethodFigures(ChoiceMethod Method, int Cases, int Right, double Tokens, double Seconds)
{
    /// <summary>The share that was right, 0 to 1.</summary>
    public double Accuracy => (double)Right / Cases;

    /// <summary>The standard error of <see cref="Accuracy"/>.</summary>
    public double StandardError => Math.Sqrt(Accuracy * (1 - Accuracy) / Cases);
}

/// <summary>What was measured in one kind of choices.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Chance">What guessing would get right on average, 0 to 1.</param>
/// <param name="Methods">The default first, then each method.</param>
/// <param name="Chosen">What was chosen.</param>
public sealed record KindFigures(DecisionKind Kind, double Chance, IReadOnlyList<MethodFigures> Methods, MeasuredMethod Chosen);

/// <summary>How well a model decides by each method.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Path">Its file.</param>
/// <param name="Kinds">The kinds of choices that the cases have.</param>
/// <param name="KeptAt">Where the choice is kept; null where it is not.</param>
public sealed record DecisionReport(string Model, string Path, IReadOnlyList<KindFigures> Kinds, string? KeptAt);

/// <summary>How far a measurement has come.</summary>
/// <param name="Done">Decisions made.</param>
/// <param name="Total">Decisions in all.</param>
/// <param name="Method">The method that is measured now.</param>
public sealed record MeasurementProgress(int Done, int Total, ChoiceMethod Method);
