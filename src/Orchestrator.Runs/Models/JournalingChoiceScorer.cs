using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Models;

/// <summary>Records each decision of a scorer in a run's journal.</summary>
public sealed class JournalingChoiceScorer : IChoiceScorer
{
    private readonly IChoiceScorer _inner;
    private readonly IRunJournal _journal;

    /// <summary>Wraps a scorer for one run.</summary>
    /// <param name="inner">The scorer.</param>
    /// <param name="journal">The run's journal.</param>
    public JournalingChoiceScorer(IChoiceScorer inner, IRunJournal journal)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(journal);
        _inner = inner;
        _journal = journal;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
        IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var results = await _inner.ScoreAsync(questions, cancellationToken).ConfigureAwait(false);
        foreach (var (question, result) in questions.Zip(results))
        {
            await _journal.AppendAsync(
                new ChoiceMade(
                    question.Evidence, result.Method, result.Scores, result.ComputedTokens, result.ReusedTokens)
                {
                    Agent = question.Request.Agent,
                },
                CancellationToken.None).ConfigureAwait(false);
        }

        return results;
    }
}
