using System.Text.Json.Serialization;
using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Deciding;

/// <summary>The two kinds of choices that are measured apart.</summary>
public enum DecisionKind
{
    /// <summary>Every option has a description.</summary>
    Described,

    /// <summary>An option has nothing but its name.</summary>
    NamesOnly,
}

/// <summary>Which method was chosen for one kind of choices, and on what grounds.</summary>
/// <param name="Method">The method; <see cref="ChoiceMethod.Auto"/> where the default was kept.</param>
/// <param name="Cases">How many cases were decided.</param>
/// <param name="Right">How many of them the method got right.</param>
/// <param name="DefaultRight">How many the default got right.</param>
public sealed record MeasuredMethod(ChoiceMethod Method, int Cases, int Right, int DefaultRight)
{
    /// <summary>Whether the default was kept.</summary>
    [JsonIgnore]
    public bool IsDefault => Method == ChoiceMethod.Auto;
}

/// <summary>
/// How a model was measured to decide best. It counts where a question leaves the method to the scorer; a question that
/// words the channel itself, other than for a request, is made for the channel and keeps it.
/// </summary>
/// <param name="Described">For options with descriptions; null where it was not measured.</param>
/// <param name="NamesOnly">For options that are only names; null where it was not measured.</param>
public sealed record DecisionProfile(MeasuredMethod? Described, MeasuredMethod? NamesOnly)
{
    /// <summary>Fewer cases than this leave the default in place.</summary>
    public const int FewestCases = 10;

    /// <summary>By how many standard errors of the paired difference a method must be better than the default.</summary>
    public const double StandardErrors = 2;

    /// <summary>What kind of choice these options make.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The kind.</returns>
    public static DecisionKind KindOf(IReadOnlyList<Choice> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.All(option => option.Description is not null) ? DecisionKind.Described : DecisionKind.NamesOnly;
    }

    /// <summary>
    /// Chooses a method for one kind of choices: the default, unless there are at least <see cref="FewestCases"/> cases and
    /// another method is better by more than <see cref="StandardErrors"/> standard errors of the paired difference,
    /// √((b + c) − (b − c)² / n) where it is right in b of the n cases that the default gets wrong, and wrong in c that the
    /// default gets right. Of several such methods the one that is right most often is taken, and of equals the first.
    /// </summary>
    /// <param name="byDefault">Whether the default was right, case by case.</param>
    /// <param name="byMethod">The same for each method.</param>
    /// <returns>The choice.</returns>
    /// <exception cref="ArgumentException">A method was not asked as many cases.</exception>
    public static MeasuredMethod Choose(
        IReadOnlyList<bool> byDefault, IReadOnlyList<(ChoiceMethod Method, IReadOnlyList<bool> Right)> byMethod)
    {
        ArgumentNullException.ThrowIfNull(byDefault);
        ArgumentNullException.ThrowIfNull(byMethod);
        var cases = byDefault.Count;
        var defaultRight = byDefault.Count(right => right);
        var best = new MeasuredMethod(ChoiceMethod.Auto, cases, defaultRight, defaultRight);
        foreach (var (method, right) in byMethod)
        {
            if (right.Count != cases)
            {
                throw new ArgumentException($"{method} was asked {right.Count} cases, the default {cases}.", nameof(byMethod));
            }

            var count = right.Count(r => r);
            if (count > best.Right && cases >= FewestCases && IsBetter(right, byDefault))
            {
                best = best with { Method = method, Right = count };
            }
        }

        return best;
    }

    /// <summary>What was measured for a kind.</summary>
    /// <param name="kind">The kind.</param>
    /// <returns>The choice, or null where it was not measured.</returns>
    public MeasuredMethod? For(DecisionKind kind) => kind == DecisionKind.Described ? Described : NamesOnly;

    /// <summary>The method for a question; null leaves it to the default, as where the measured one can't be applied.</summary>
    internal ChoiceMethod? MethodFor(ChoiceQuestion question) =>
        !ChoiceScorer.WordsChannel(question)
        && For(KindOf(question.Options)) is { IsDefault: false, Method: var method }
        && (method != ChoiceMethod.Labels || question.Options.Count <= DirectWording.Letters)
        && (question.Evidence.Length > 0 || method is ChoiceMethod.Direct or ChoiceMethod.Calibrated or ChoiceMethod.Labels)
            ? method
            : null;

    private static bool IsBetter(IReadOnlyList<bool> right, IReadOnlyList<bool> byDefault)
    {
        var (gained, lost) = (0, 0);
        foreach (var (mine, other) in right.Zip(byDefault))
        {
            gained += mine && !other ? 1 : 0;
            lost += other && !mine ? 1 : 0;
        }

        double difference = gained - lost;
        return difference > StandardErrors * Math.Sqrt(gained + lost - (difference * difference / right.Count));
    }
}
