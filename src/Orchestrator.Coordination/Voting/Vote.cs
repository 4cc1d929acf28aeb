using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Voting;

/// <summary>How votes become a decision.</summary>
public enum VotingRule
{
    /// <summary>
    /// The prior times each voter's likelihoods, weighted (log-linear pooling: Genest and Zidek, Statistical Science
    /// 1986). With weights that sum to 1 it is the geometric mean.
    /// </summary>
    Pooled,

    /// <summary>Each voter's most probable option, prior included, has one vote; ties go to the higher pooled share.</summary>
    Plurality,
}

/// <summary>What is voted on.</summary>
public sealed record VoteQuestion
{
    /// <summary>The question.</summary>
    public required string Question { get; init; }

    /// <summary>The options; at least one, names differ.</summary>
    public required IReadOnlyList<Choice> Options { get; init; }

    /// <summary>Log prior of each option in nats, in their order; null for equal ones.</summary>
    public IReadOnlyList<double>? LogPriors { get; init; }

    /// <summary>What each voter weighs the options against, by name; one voter at least.</summary>
    public required IReadOnlyList<(string Voter, string Evidence)> Voters { get; init; }

    /// <summary>What is known to everybody, before the question; may be empty.</summary>
    public IReadOnlyList<ChatMessage> Context { get; init; } = [];

    /// <summary>How votes become a decision.</summary>
    public VotingRule Rule { get; init; } = VotingRule.Pooled;

    /// <summary>
    /// How much the voters' mean log-likelihood counts against the prior, 0 or more. Texts of many tokens make a model
    /// more certain than it is right; below 1 tempers that.
    /// </summary>
    public double Weight { get; init; } = 1;

    /// <summary>Whether a voter's log-likelihoods count as a mean per token of its evidence rather than as their sum.</summary>
    public bool PerToken { get; init; }

    /// <summary>By how many nats at most the voters together move an option against the prior; null for no limit.</summary>
    public double? MaxShift { get; init; }

    /// <summary>What the questions carry to the model; the voter's name is filled in.</summary>
    public ModelRequest Request { get; init; } = new();
}

/// <summary>How one voter sees the options.</summary>
/// <param name="Voter">Who.</param>
/// <param name="Choice">The option that it holds most probable, prior included.</param>
/// <param name="Result">Its probabilities without the prior.</param>
public sealed record Ballot(string Voter, string Choice, ChoiceResult Result);

/// <summary>The outcome of a vote.</summary>
/// <param name="Winner">The option that won; the first of equals.</param>
/// <param name="Margin">Its share less that of the next, 0 to 1; 1 for a single option.</param>
/// <param name="Shares">The options with their shares, which sum to 1, highest first.</param>
/// <param name="Ballots">The votes, in the voters' order.</param>
public sealed record VoteResult(
    string Winner, double Margin, IReadOnlyList<OptionShare> Shares, IReadOnlyList<Ballot> Ballots);

/// <summary>Votes by likelihood: every voter weighs all options against its evidence, all of them in one batch.</summary>
public static class Vote
{
    /// <summary>Holds a vote.</summary>
    /// <param name="scorer">Scores the options.</param>
    /// <param name="question">What is voted on.</param>
    /// <param name="cancellationToken">Stops the vote.</param>
    /// <returns>The outcome.</returns>
    /// <exception cref="ArgumentException">There is no voter, no option, or another number of priors than of options.</exception>
    public static async Task<VoteResult> HoldAsync(
        IChoiceScorer scorer, VoteQuestion question, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(question);
        ArgumentOutOfRangeException.ThrowIfZero(question.Voters.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(question.Weight);
        var questions = question.Voters.Select(v => Ask(question, v.Voter, v.Evidence)).ToArray();
        ChoiceQuestions.Validate(questions[0] with { LogPriors = question.LogPriors });
        var results = await scorer.ScoreAsync(questions, cancellationToken).ConfigureAwait(false);
        return Count(question, results);
    }

    /// <summary>Makes a decision of ballots.</summary>
    /// <param name="question">What is voted on.</param>
    /// <param name="results">Each voter's probabilities, in the voters' order, without the prior.</param>
    /// <returns>The outcome.</returns>
    public static VoteResult Count(VoteQuestion question, IReadOnlyList<ChoiceResult> results)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(results);
        var options = question.Options.Count;
        var logs = results.Select(r => Contrasts(r, question.PerToken)).ToArray();
        double Shift(IEnumerable<double[]> voters, int option)
        {
            var shift = question.Weight * voters.Average(v => v[option]);
            return question.MaxShift is { } most ? Math.Clamp(shift, -most, most) : shift;
        }

        double Score(IEnumerable<double[]> voters, int option) => (question.LogPriors?[option] ?? 0) + Shift(voters, option);
        var pooled = Softmax([.. Enumerable.Range(0, options).Select(o => Score(logs, o))]);
        var choices = logs.Select(v => Best([.. Enumerable.Range(0, options).Select(o => Score([v], o))])).ToArray();
        var shares = question.Rule == VotingRule.Pooled
            ? pooled
            : [.. Enumerable.Range(0, options).Select(o => choices.Count(c => c == o) / (double)choices.Length)];
        var order = Enumerable.Range(0, options)
            .OrderByDescending(o => shares[o]).ThenByDescending(o => pooled[o]).ThenBy(o => o).ToArray();
        return new VoteResult(
            question.Options[order[0]].Name,
            options == 1 ? 1 : shares[order[0]] - shares[order[1]],
            [.. order.Select(o => new OptionShare(question.Options[o].Name, shares[o]))],
            [.. question.Voters.Select((v, i) => new Ballot(v.Voter, question.Options[choices[i]].Name, results[i]))]);
    }

    /// <summary>A voter's log-likelihoods less their mean over the options, in nats, or nats per token.</summary>
    private static double[] Contrasts(ChoiceResult result, bool perToken)
    {
        var logs = result.Scores.Select(s => Math.Log(Math.Max(s.Probability, 1e-300))).ToArray();
        var mean = logs.Average();
        // A scorer that tells no number of tokens has given no sum over them.
        var tokens = perToken ? Math.Max(1, result.EvidenceTokens) : 1;
        return Array.ConvertAll(logs, l => (l - mean) / tokens);
    }

    private static ChoiceQuestion Ask(VoteQuestion question, string voter, string evidence) => new()
    {
        Context = question.Context,
        Evidence = evidence,
        Options = question.Options,
        ChannelTemplate = $"{question.Question} {{name}}. {{description}}\nWhat was found: ",
        DirectCue = $"\n{question.Question} ",
        Request = question.Request with { Agent = voter },
    };

    private static int Best(double[] scores) => Array.IndexOf(scores, scores.Max());

    private static double[] Softmax(double[] scores)
    {
        var max = scores.Max();
        if (double.IsNegativeInfinity(max))
        {
            return [.. scores.Select(_ => 1d / scores.Length)];
        }

        var weights = Array.ConvertAll(scores, s => Math.Exp(s - max));
        var sum = weights.Sum();
        return Array.ConvertAll(weights, w => w / sum);
    }
}
