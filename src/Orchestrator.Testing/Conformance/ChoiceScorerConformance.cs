using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Testing.Conformance;

/// <summary>
/// What every <see cref="IChoiceScorer"/> must do, whatever decides. Run each of <see cref="Cases"/> on a new scorer that
/// decides the same question alike each time:
/// <code>
/// [Theory]
/// [MemberData(nameof(Names))]
/// public Task Conforms(string name) => ChoiceScorerConformance.Cases[name](CreateScorer());
/// </code>
/// </summary>
public static class ChoiceScorerConformance
{
    private static readonly ChoiceQuestion Question = new()
    {
        Evidence = "Which service failed first?",
        Options =
        [
            new Choice("log_search", "Finds lines in logs."),
            new Choice("calculator", "Computes numbers."),
            new Choice("clock", "Tells the time."),
        ],
    };

    /// <summary>The cases by name; each throws <see cref="ConformanceException"/> where the scorer falls short.</summary>
    public static IReadOnlyDictionary<string, Func<IChoiceScorer, Task>> Cases { get; } =
        new Dictionary<string, Func<IChoiceScorer, Task>>(StringComparer.Ordinal)
        {
            ["no questions have no results"] = NoQuestions,
            ["scores are a distribution over the options in order"] = ScoresAreADistribution,
            ["each question has its result in order"] = EachQuestionHasItsResult,
            ["company does not change a result"] = CompanyDoesNotChangeAResult,
            ["the same question has the same answer"] = SameQuestionSameAnswer,
            ["one option is certain"] = OneOptionIsCertain,
            ["options without descriptions are decided"] = OptionsWithoutDescriptions,
            ["a prior of minus infinity rules an option out"] = PriorRulesOut,
            ["questions with context are decided"] = QuestionsWithContext,
            ["a question without options is refused"] = s => Refuses(s, Question with { Options = [] }),
            ["two options of one name are refused"] = s => Refuses(s, Question with { Options = [new("a"), new("a")] }),
            ["priors of another number are refused"] = s => Refuses(s, Question with { LogPriors = [0] }),
            ["a cancelled call ends as cancelled"] = CancelledCallEnds,
        };

    private static async Task NoQuestions(IChoiceScorer scorer) =>
        Require.Equal(0, (await scorer.ScoreAsync([]).ConfigureAwait(false)).Count, "Results of no questions");

    private static async Task ScoresAreADistribution(IChoiceScorer scorer) =>
        RequireDistribution(Question, await scorer.ScoreAsync(Question).ConfigureAwait(false));

    private static async Task EachQuestionHasItsResult(IChoiceScorer scorer)
    {
        ChoiceQuestion[] questions =
        [
            Question,
            Question with { Options = [new Choice("yes_it_is", "It is so."), new Choice("no_it_is_not", "It is not so.")] },
            Question with { Evidence = "What is 1 and 1?" },
        ];
        var results = await scorer.ScoreAsync(questions).ConfigureAwait(false);
        Require.Equal(questions.Length, results.Count, "Results of three questions");
        foreach (var (question, result) in questions.Zip(results))
        {
            RequireDistribution(question, result);
        }
    }

    private static async Task CompanyDoesNotChangeAResult(IChoiceScorer scorer)
    {
        var alone = await scorer.ScoreAsync(Question).ConfigureAwait(false);
        var together = await scorer.ScoreAsync([Question with { Evidence = "What time is it?" }, Question]).ConfigureAwait(false);
        RequireAlike(alone, together[1], "A question decided beside another");
    }

    private static async Task SameQuestionSameAnswer(IChoiceScorer scorer)
    {
        var first = await scorer.ScoreAsync(Question).ConfigureAwait(false);
        RequireAlike(first, await scorer.ScoreAsync(Question).ConfigureAwait(false), "The same question again");
    }

    private static async Task OneOptionIsCertain(IChoiceScorer scorer)
    {
        var result = await scorer.ScoreAsync(Question with { Options = [Question.Options[0]] }).ConfigureAwait(false);
        Require.Equal(1d, result.Best.Probability, "The probability of the only option");
        Require.Equal(1d, result.Margin, "The margin of the only option");
    }

    private static async Task OptionsWithoutDescriptions(IChoiceScorer scorer)
    {
        var question = Question with { Options = [new Choice("ann"), new Choice("bob")] };
        RequireDistribution(question, await scorer.ScoreAsync(question).ConfigureAwait(false));
    }

    private static async Task PriorRulesOut(IChoiceScorer scorer)
    {
        foreach (var left in Question.Options)
        {
            var question = Question with
            {
                LogPriors = [.. Question.Options.Select(o => o == left ? 0 : double.NegativeInfinity)],
            };
            var result = await scorer.ScoreAsync(question).ConfigureAwait(false);
            Require.Equal(left.Name, result.Best.Choice.Name, "The only option that its prior allows");
            Require.Equal(1d, result.Best.Probability, "Its probability");
        }
    }

    private static async Task QuestionsWithContext(IChoiceScorer scorer)
    {
        var question = Question with { Context = [new ChatMessage(ChatRole.System, "You know the logs.")] };
        RequireDistribution(question, await scorer.ScoreAsync(question).ConfigureAwait(false));
    }

    private static async Task Refuses(IChoiceScorer scorer, ChoiceQuestion question)
    {
        try
        {
            await scorer.ScoreAsync([Question, question]).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            return;
        }

        throw new ConformanceException("A question that cannot be decided was answered.");
    }

    private static async Task CancelledCallEnds(IChoiceScorer scorer)
    {
        try
        {
            await scorer.ScoreAsync([Question], new CancellationToken(canceled: true)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        throw new ConformanceException("A cancelled call was answered.");
    }

    private static void RequireDistribution(ChoiceQuestion question, ChoiceResult result)
    {
        Require.That(
            question.Options.SequenceEqual(result.Scores.Select(s => s.Choice)), "The scores are not the options in their order.");
        Require.That(result.Scores.All(s => s.Probability is >= 0 and <= 1), "A probability is not between 0 and 1.");
        Require.That(Math.Abs(result.Scores.Sum(s => s.Probability) - 1) < 1e-6, "The probabilities do not sum to 1.");
        Require.That(result.Margin is >= 0 and <= 1, "The margin is not between 0 and 1.");
        Require.That(result.Method != ChoiceMethod.Auto, "The result does not say how it was scored.");
        Require.That(result.ComputedTokens >= 0 && result.ReusedTokens >= 0, "A number of tokens is negative.");
    }

    private static void RequireAlike(ChoiceResult expected, ChoiceResult actual, string what)
    {
        Require.Equal(expected.Method, actual.Method, $"{what}: the method");
        foreach (var (a, b) in expected.Scores.Zip(actual.Scores))
        {
            // The way a batch is cut changes the order of additions in a model.
            Require.That(Math.Abs(a.Probability - b.Probability) < 0.25, $"{what}: '{a.Choice.Name}' had {a.Probability:F3}, and has {b.Probability:F3}.");
        }
    }
}
