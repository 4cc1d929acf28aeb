namespace Orchestrator.Core.Models;

/// <summary>What every <see cref="IChoiceScorer"/> does alike.</summary>
public static class ChoiceQuestions
{
    /// <summary>Refuses a question that cannot be decided.</summary>
    /// <param name="question">The question.</param>
    /// <exception cref="ArgumentException">No option, two of one name, or priors of another number.</exception>
    public static void Validate(ChoiceQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (question.Options.Count == 0)
        {
            throw new ArgumentException("A choice needs at least one option.", nameof(question));
        }

        if (question.Options.GroupBy(o => o.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two options are called '{twice.Key}'.", nameof(question));
        }

        if (question.LogPriors is { } priors && priors.Count != question.Options.Count)
        {
            throw new ArgumentException(
                $"{priors.Count} priors were given for {question.Options.Count} options.", nameof(question));
        }
    }

    /// <summary>Turns scores into probabilities by a softmax.</summary>
    /// <param name="question">The question; its priors are already in the scores.</param>
    /// <param name="logLikelihoods">A score in nats for each option, finite or negative infinity.</param>
    /// <param name="method">How they were scored.</param>
    /// <param name="computedTokens">Tokens computed for it.</param>
    /// <param name="reusedTokens">Tokens found in the cache.</param>
    /// <returns>The result, in the order of the question's options.</returns>
    public static ChoiceResult Normalise(
        ChoiceQuestion question,
        IReadOnlyList<double> logLikelihoods,
        ChoiceMethod method,
        int computedTokens = 0,
        int reusedTokens = 0)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(logLikelihoods);
        var max = logLikelihoods.Max();
        var weights = double.IsFinite(max)
            ? logLikelihoods.Select(l => Math.Exp(l - max)).ToArray()
            : [.. logLikelihoods.Select(_ => 1d)];
        var sum = weights.Sum();
        return new ChoiceResult(
            [.. question.Options.Select((o, i) => new ChoiceScore(o, logLikelihoods[i], weights[i] / sum))],
            method,
            computedTokens,
            reusedTokens);
    }
}
