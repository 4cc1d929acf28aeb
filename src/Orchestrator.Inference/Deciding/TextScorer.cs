using System.Text;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// Scores texts by a model's likelihoods, long ones in windows that overlap (the sliding window of Hugging Face's
/// "Perplexity of fixed-length models").
/// </summary>
public sealed class TextScorer : ITextScorer
{
    private readonly IInferenceEngine _engine;

    /// <summary>Creates the scorer.</summary>
    /// <param name="engine">The model.</param>
    public TextScorer(IInferenceEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _engine = engine;
    }

    /// <inheritdoc/>
    public async Task<TextScore> ScoreAsync(
        string text, TextScoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= new TextScoreOptions();
        var longest = Math.Min(_engine.Model.ContextSize, _engine.Model.TrainedContext);
        var window = options.Window ?? longest;
        if (window < 2 || window > longest)
        {
            throw new ArgumentException($"A window of {window} tokens does not fit; it may have 2 to {longest}.", nameof(options));
        }

        var stride = options.Stride ?? window / 2;
        if (stride < 1 || stride >= window)
        {
            throw new ArgumentException($"A stride of {stride} tokens skips some of the text; it may have 1 to {window - 1}.", nameof(options));
        }

        var tokenizer = _engine.Tokenizer;
        int[] own = tokenizer.Tokenize(text, parseSpecial: false);
        int[] tokens = tokenizer.BeginOfText is { } begin && (own.Length == 0 || own[0] != begin) ? [begin, .. own] : own;
        if (tokens.Length < 2)
        {
            throw new ArgumentException("The text has no token that can be predicted from one before it.", nameof(text));
        }

        // One window after another: each may take the whole context.
        var scores = new double[tokens.Length];
        var (scored, windows) = (1, 0);
        while (scored < tokens.Length)
        {
            var end = windows == 0 ? Math.Min(window, tokens.Length) : Math.Min(scored + stride, tokens.Length);
            var start = Math.Max(0, end - window);
            var result = await _engine.ScoreAsync(
                new ScoreRequest { Sequences = [new ScoreSequence(tokens[start..scored], tokens[scored..end])], Origin = options.Request },
                cancellationToken).ConfigureAwait(false);
            foreach (var (i, value) in result.LogProbabilities[0].Index())
            {
                scores[scored + i] = value;
            }

            scored = end;
            windows++;
        }

        return new TextScore(scores.Skip(1).Sum(), tokens.Length - 1, window, stride, windows)
        {
            PerToken = options.PerToken
                ? [.. own.Select((token, i) => new TokenScore(
                    token,
                    Encoding.UTF8.GetString(tokenizer.GetBytes(token)),
                    i + tokens.Length - own.Length is var at and > 0 ? scores[at] : null))]
                : null,
        };
    }
}
