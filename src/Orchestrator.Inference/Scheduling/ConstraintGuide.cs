using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// Leads one generation along a constraint: what the constraint forces is appended without sampling (jump-forward:
/// Zheng et al., SGLang, 2024), and a budget of tokens is kept to, so that the answer can always be completed.
/// </summary>
internal sealed class ConstraintGuide(IConstraintMatcher matcher, ITokenizer tokenizer, TextSplitter splitter)
{
    private IConstraintMatcher _matcher = matcher;

    /// <summary>Whether nothing but the end may follow.</summary>
    public bool MustEnd { get; private set; }

    /// <summary>The tokens allowed now.</summary>
    public ReadOnlySpan<uint> Mask() => _matcher.Mask();

    /// <summary>Copies the progress, to try what a token would lead to.</summary>
    public ConstraintGuide Fork() => new(_matcher.Clone(), tokenizer, splitter) { MustEnd = MustEnd };

    /// <summary>Whether a token is allowed now.</summary>
    public bool Allows(int token) => _matcher.Clone().TryAccept(token);

    /// <summary>Starts the answer.</summary>
    /// <param name="budget">The most tokens that it may have, the end token included.</param>
    /// <returns>The tokens that the constraint forces before anything is sampled.</returns>
    public IReadOnlyList<int> Begin(int budget)
    {
        if (!Fits(_matcher, budget))
        {
            throw new InferenceException(
                InferenceError.BadRequest,
                $"The constraint cannot be met within {budget} tokens: its shortest answer has {_matcher.MinBytesToEnd} bytes.",
                "Raise the most tokens, or shorten the prompt.");
        }

        var forced = _matcher.ForcedBytes();
        var tokens = splitter.Split(forced.Span);
        if (tokens.Count > 0)
        {
            var after = _matcher.Clone();
            Require(after.TryAcceptBytes(forced.Span));
            if (!Fits(after, budget - tokens.Count))
            {
                return Finish(_matcher);
            }

            _matcher = after;
        }

        MustEnd = _matcher.MustEnd;
        return tokens;
    }

    /// <summary>Goes on by a sampled token.</summary>
    /// <param name="sampled">The token; not the end.</param>
    /// <param name="budget">The most tokens that may follow, this and the end token included.</param>
    /// <returns>
    /// The tokens to append: the sampled one and what it forces. What it forces may split its text in another way,
    /// and where it would lead too far, the shortest completion stands in its place; all is forced then.
    /// </returns>
    public IEnumerable<(int Token, bool Forced)> Next(int sampled, int budget)
    {
        var before = _matcher.Clone();
        Require(_matcher.TryAccept(sampled));
        var forced = _matcher.ForcedBytes();
        if (!forced.IsEmpty)
        {
            var tokens = splitter.Split([.. TokenSpelling.Of(tokenizer, sampled), .. forced.Span]);
            var after = _matcher.Clone();
            Require(after.TryAcceptBytes(forced.Span));
            if (Fits(after, budget - tokens.Count))
            {
                _matcher = after;
                MustEnd = after.MustEnd;
                return tokens.Select((t, i) => (t, i > 0 || t != sampled));
            }
        }

        if (Fits(_matcher, budget - 1))
        {
            MustEnd = _matcher.MustEnd;
            return [(sampled, false)];
        }

        return Finish(before).Select(t => (t, true));
    }

    private IReadOnlyList<int> Finish(IConstraintMatcher from)
    {
        MustEnd = true;
        return splitter.Split(from.ShortestCompletion().Span);
    }

    /// <summary>
    /// Whether the shortest completion and the end token fit; bytes bound tokens from above. A text that may end anywhere
    /// is cut where the budget ends, with no end token that would say that it is whole.
    /// </summary>
    private bool Fits(IConstraintMatcher matcher, int budget) => budget >= 1
        ? matcher.MinBytesToEnd < budget || splitter.Split(matcher.ShortestCompletion().Span).Count < budget
        : budget == 0 && matcher is { CanEnd: true, MustEnd: false };

    private static void Require(bool accepted)
    {
        if (!accepted)
        {
            throw new InferenceException(
                InferenceError.BadRequest, "The constraint refused what it had allowed.", "Report the schema: this is a defect.");
        }
    }
}
