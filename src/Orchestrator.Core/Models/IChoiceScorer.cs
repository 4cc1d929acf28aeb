using Microsoft.Extensions.AI;

namespace Orchestrator.Core.Models;

/// <summary>How the options of a choice are scored.</summary>
public enum ChoiceMethod
{
    /// <summary>
    /// What was measured to suit the model, where that is known and the question does not word the channel itself. Else
    /// combined where every option has a description or a name of several words, the channel alone where the question words
    /// it itself and the evidence is no request, direct otherwise.
    /// </summary>
    Auto,

    /// <summary>
    /// log P(evidence | option): how well the option's description explains the evidence (noisy channel: Min et al.,
    /// ACL 2022). By far the best on small models.
    /// </summary>
    Channel,

    /// <summary>log P(option | evidence), the mean over the option's tokens.</summary>
    Direct,

    /// <summary>
    /// log P(option | evidence), less most of what the option has after texts that say nothing (Zhao et al., ICML 2021):
    /// cheap, and good where options have only names.
    /// </summary>
    Calibrated,

    /// <summary>One letter for each option; only for models measured to be good at it.</summary>
    Labels,

    /// <summary>The model wrote the option's name under a constraint; the scores say only which.</summary>
    Generated,

    /// <summary>
    /// The channel, less a part of what the option's description makes of any request: options that make all texts
    /// likely are not preferred for it.
    /// </summary>
    CalibratedChannel,

    /// <summary>
    /// The calibrated names choose those that hold 95 % of their probability: two at least, and at most half of them (of few
    /// options four, of many ten). Among these the channel decides, with half the calibrated score added. Better than either
    /// alone, and cheaper than the channel.
    /// </summary>
    Combined,
}

/// <summary>One of the things that can be chosen.</summary>
/// <param name="Name">What the caller gets back; unique among the options.</param>
/// <param name="Description">
/// What the option means, in the words that the evidence is likely to follow from; null where there is only a name.
/// </param>
public sealed record Choice(string Name, string? Description = null);

/// <summary>A question with K options, decided by likelihood and never by parsing prose.</summary>
public sealed record ChoiceQuestion
{
    /// <summary>
    /// What is known to everybody, before the options; may be empty. Its KV cache is shared by all options and all
    /// later questions with the same beginning.
    /// </summary>
    public IReadOnlyList<ChatMessage> Context { get; init; } = [];

    /// <summary>What the options are weighed against: the task, the question, the last messages.</summary>
    public required string Evidence { get; init; }

    /// <summary>The options: at least one, with different names.</summary>
    public required IReadOnlyList<Choice> Options { get; init; }

    /// <summary>
    /// How an option is put before the evidence in the channel, with <c>{name}</c> and <c>{description}</c>, e.g.
    /// <c>"{name}: {description}\nA task that {name} does best: "</c>. Null takes a general wording.
    /// </summary>
    public string? ChannelTemplate { get; init; }

    /// <summary>
    /// Whether the evidence is what a user says. Where the model has a chat template and there is no context, the
    /// channel then puts the option as the system's message and the evidence as the user's, which small models
    /// understand far better than one plain text. The template then needs no words that lead over to the evidence.
    /// </summary>
    public bool EvidenceIsRequest { get; init; }

    /// <summary>
    /// Examples for the channel, as a conversation: perhaps an instruction, then in turn an option as the user's message and
    /// the evidence that belongs to it as the assistant's. Where there are some, the option that is weighed is the user's
    /// next message, laid out as <see cref="ChannelTemplate"/> has it, and the evidence the assistant's answer to it. They
    /// are computed once, and kept as long as the cache has room.
    /// </summary>
    public IReadOnlyList<ChatMessage> ChannelExamples { get; init; } = [];

    /// <summary>
    /// How an option is asked for directly, after the evidence, e.g. <c>"\nNext speaker: "</c>. Null takes a general
    /// wording.
    /// </summary>
    public string? DirectCue { get; init; }

    /// <summary>How to score.</summary>
    public ChoiceMethod Method { get; init; } = ChoiceMethod.Auto;

    /// <summary>Log prior of each option, added to its score; null for equal ones. Same order as the options.</summary>
    public IReadOnlyList<double>? LogPriors { get; init; }

    /// <summary>Who asks, with what adapters.</summary>
    public ModelRequest Request { get; init; } = new();
}

/// <summary>An option with its score.</summary>
/// <param name="Choice">The option.</param>
/// <param name="LogLikelihood">Its score in nats before normalisation, the prior included.</param>
/// <param name="Probability">Softmax of the scores over the options; sums to 1.</param>
public sealed record ChoiceScore(Choice Choice, double LogLikelihood, double Probability);

/// <summary>The answer to a <see cref="ChoiceQuestion"/>.</summary>
/// <param name="Scores">One for each option, in the question's order.</param>
/// <param name="Method">How it was scored.</param>
/// <param name="ComputedTokens">Tokens that had to be computed for it.</param>
/// <param name="ReusedTokens">Tokens whose KV cache was found.</param>
public sealed record ChoiceResult(
    IReadOnlyList<ChoiceScore> Scores, ChoiceMethod Method, int ComputedTokens = 0, int ReusedTokens = 0)
{
    /// <summary>Over how many tokens of evidence the scores add up, in the channel; 0 where they are no such sum.</summary>
    public int EvidenceTokens { get; init; }

    /// <summary>The most probable option; the first of equals.</summary>
    public ChoiceScore Best => Scores.MaxBy(s => s.Probability)!;

    /// <summary>Probability of the best option less that of the second, 0 to 1; 1 where there is only one.</summary>
    public double Margin
    {
        get
        {
            var sorted = Scores.Select(s => s.Probability).OrderDescending().Take(2).ToArray();
            return sorted.Length == 1 ? 1 : sorted[0] - sorted[1];
        }
    }
}

/// <summary>
/// Decides between options by likelihood. Found through <c>IChatClient.GetService(typeof(IChoiceScorer))</c>; where
/// a client has none, <see cref="GeneratedChoiceScorer"/> asks it to write the name of one.
/// </summary>
public interface IChoiceScorer
{
    /// <summary>Scores questions, all of them in one batched pass where the model allows it.</summary>
    /// <param name="questions">The questions; each has its own options.</param>
    /// <param name="cancellationToken">Stops the work; nothing is kept of it.</param>
    /// <returns>One result for each question, in order.</returns>
    /// <exception cref="ArgumentException">A question has no option, or two of one name.</exception>
    Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
        IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default);
}

/// <summary>Conveniences over <see cref="IChoiceScorer"/>.</summary>
public static class ChoiceScorerExtensions
{
    /// <summary>Scores one question.</summary>
    /// <param name="scorer">The scorer.</param>
    /// <param name="question">The question.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>Its result.</returns>
    public static async Task<ChoiceResult> ScoreAsync(
        this IChoiceScorer scorer, ChoiceQuestion question, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        return (await scorer.ScoreAsync([question], cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>The client's own scorer, or one that generates under an enum constraint.</summary>
    /// <param name="client">Any chat client.</param>
    /// <returns>A scorer.</returns>
    public static IChoiceScorer GetChoiceScorer(this IChatClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.GetService<IChoiceScorer>() ?? new GeneratedChoiceScorer(client);
    }
}
