using Orchestrator.Core.Models;

namespace Orchestrator.Testing.Models;

/// <summary>A scorer that decides from a script, at once. Safe to call from several threads.</summary>
public sealed class ScriptedChoiceScorer : IChoiceScorer
{
    private readonly Func<ChoiceQuestion, int, string> _choose;
    private readonly List<ChoiceQuestion> _questions = [];
    private readonly Lock _lock = new();

    /// <summary>Decides each question by a function of it.</summary>
    /// <param name="choose">Gives the name of the option to choose.</param>
    public ScriptedChoiceScorer(Func<ChoiceQuestion, string> choose)
    {
        ArgumentNullException.ThrowIfNull(choose);
        _choose = (question, _) => choose(question);
    }

    /// <summary>Decides the questions in order; a question beyond the last name fails.</summary>
    /// <param name="names">The names of the options to choose.</param>
    public ScriptedChoiceScorer(params IReadOnlyList<string> names)
    {
        _choose = (_, index) => index < names.Count
            ? names[index]
            : throw new InvalidOperationException($"The script has {names.Count} choices, and this is question {index + 1}.");
    }

    /// <summary>The questions so far, in order.</summary>
    public IReadOnlyList<ChoiceQuestion> Questions
    {
        get
        {
            lock (_lock)
            {
                return [.. _questions];
            }
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
        IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<ChoiceResult> results = [.. questions.Select(Score)];
        return Task.FromResult(results);
    }

    private ChoiceResult Score(ChoiceQuestion question)
    {
        ChoiceQuestions.Validate(question);
        int index;
        lock (_lock)
        {
            index = _questions.Count;
            _questions.Add(question);
        }

        var name = _choose(question, index);
        if (question.Options.All(o => o.Name != name))
        {
            throw new InvalidOperationException(
                $"The script chose '{name}', which is not among {string.Join(", ", question.Options.Select(o => o.Name))}.");
        }

        return ChoiceQuestions.Normalise(
            question,
            [.. question.Options.Select((o, i) => (o.Name == name ? 0d : -10d) + (question.LogPriors?[i] ?? 0))],
            ChoiceMethod.Channel);
    }
}
