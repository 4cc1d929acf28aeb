using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Sampling;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// Writes a draft the way the generation itself would go on: under its constraint, with what that forces, and drawing
/// with the random numbers that it will draw with. So a guess is right wherever the model agrees with the guesser.
/// </summary>
/// <param name="draft">Gets the tokens.</param>
/// <param name="tokenizer">The vocabulary.</param>
/// <param name="sampling">How tokens are chosen.</param>
/// <param name="guide">The constraint's progress, a copy of its own; null for none.</param>
/// <param name="counts">How often each token was generated, a copy of its own; null where nothing is penalised.</param>
/// <param name="generated">Tokens of the answer before the draft.</param>
/// <param name="budget">The most tokens of the answer.</param>
/// <param name="most">The most tokens of the draft.</param>
internal sealed class DraftWriter(
    List<DraftToken> draft,
    ITokenizer tokenizer,
    SamplingOptions sampling,
    ConstraintGuide? guide,
    Dictionary<int, int>? counts,
    int generated,
    int budget,
    int most)
{
    private readonly SamplingOptions _sampling = sampling with { TopLogProbabilities = 0 };

    /// <summary>The tokens so far.</summary>
    public IReadOnlyList<DraftToken> Draft => draft;

    /// <summary>Whether nothing more can be guessed.</summary>
    public bool Ended { get; private set; } = most <= 0;

    /// <summary>Goes on by tokens as far as they can be what comes next.</summary>
    /// <param name="guess">The tokens.</param>
    /// <param name="count">The most of them.</param>
    public void Copy(IReadOnlyList<(int Token, double Probability)> guess, int count)
    {
        for (var i = 0; i < count && !Ended; i = draft.Count)
        {
            Add(guess[i].Token);
            for (var j = i; j < draft.Count; j++)
            {
                // What is forced may go another way than the guess, which is of no use from there on.
                Ended |= j >= guess.Count || guess[j].Token != draft[j].Token;
            }
        }
    }

    /// <summary>Goes on by a token drawn from another model's logits.</summary>
    /// <param name="sampler">The buffers.</param>
    /// <param name="logits">One for each token; may be fewer than the vocabulary.</param>
    public void Draw(TokenSampler sampler, ReadOnlySpan<float> logits)
    {
        var mask = guide is null ? [] : guide.Mask();
        Add(sampler.Sample(logits, _sampling, mask, counts, generated + draft.Count).Token);
    }

    /// <summary>
    /// Adds a token with what it forces. The end of the answer is not guessed: nothing would be gained.
    /// </summary>
    private void Add(int token)
    {
        if (tokenizer.IsEndOfGeneration(token) || (guide is not null && (guide.MustEnd || !guide.Allows(token))))
        {
            Ended = true;
            return;
        }

        if (guide is null)
        {
            Append(token, forced: false);
            return;
        }

        foreach (var next in guide.Next(token, budget - generated - draft.Count))
        {
            Append(next.Token, next.Forced);
        }

        Ended |= guide.MustEnd;
    }

    private void Append(int token, bool forced)
    {
        Ended |= tokenizer.IsEndOfGeneration(token);
        if (Ended || draft.Count == most)
        {
            return;
        }

        draft.Add(new DraftToken(token, forced));
        Ended |= draft.Count == most;
        if (counts is not null)
        {
            counts[token] = counts.GetValueOrDefault(token) + 1;
        }
    }
}
