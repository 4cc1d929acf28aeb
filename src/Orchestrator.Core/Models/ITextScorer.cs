namespace Orchestrator.Core.Models;

/// <summary>How to score a text.</summary>
public sealed record TextScoreOptions
{
    /// <summary>Tokens that a prediction sees at most, at least 2; null for what the model's context holds.</summary>
    public int? Window { get; init; }

    /// <summary>
    /// How far the window moves where a text is longer than it, at least 1 and less than <see cref="Window"/>; null for half of it. Each token
    /// beyond the first window is then predicted from at least window − stride tokens before it.
    /// </summary>
    public int? Stride { get; init; }

    /// <summary>Whether <see cref="TextScore.PerToken"/> is wanted.</summary>
    public bool PerToken { get; init; }

    /// <summary>Who asks, with what adapters.</summary>
    public ModelRequest Request { get; init; } = new();
}

/// <summary>A token of a text and how likely it was.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Text">What it stands for; a part of a character is U+FFFD.</param>
/// <param name="LogProbability">Natural log; null for a first token that nothing stands before.</param>
public sealed record TokenScore(int Token, string Text, double? LogProbability);

/// <summary>How likely a text is under a model.</summary>
/// <param name="LogLikelihood">The sum of the natural logs of its tokens' probabilities.</param>
/// <param name="Tokens">How many tokens that sum has: all, or all but the first where the model has no begin token.</param>
/// <param name="Window">Tokens that a prediction saw at most.</param>
/// <param name="Stride">How far the window moved.</param>
/// <param name="Windows">How many windows there were.</param>
public sealed record TextScore(double LogLikelihood, int Tokens, int Window, int Stride, int Windows)
{
    /// <summary>exp(−log-likelihood / tokens), at least 1; NaN for no tokens.</summary>
    public double Perplexity => Math.Exp(-LogLikelihood / Tokens);

    /// <summary>The text's tokens, where asked for.</summary>
    public IReadOnlyList<TokenScore>? PerToken { get; init; }
}

/// <summary>
/// Scores texts by likelihood. Found through <c>IChatClient.GetService(typeof(ITextScorer))</c>; clients of models that
/// give no likelihoods have none.
/// </summary>
public interface ITextScorer
{
    /// <summary>Scores a text as it stands, without a chat template. What looks like a control token is text.</summary>
    /// <param name="text">The text, not empty.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>Its score.</returns>
    /// <exception cref="ArgumentException">The text has no token to score, or the window does not fit the context.</exception>
    Task<TextScore> ScoreAsync(string text, TextScoreOptions? options = null, CancellationToken cancellationToken = default);
}
