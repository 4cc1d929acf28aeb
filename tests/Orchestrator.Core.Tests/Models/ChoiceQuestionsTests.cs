using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Core.Tests.Models;

public sealed class ChoiceQuestionsTests
{
    private static readonly ChoiceQuestion Question = new()
    {
        Evidence = "Which?",
        Options = [new Choice("a"), new Choice("b", "the second"), new Choice("c")],
    };

    [Fact]
    public void Probabilities_sum_to_one_and_keep_the_order_of_the_options()
    {
        var result = ChoiceQuestions.Normalise(Question, [-1000, -999, double.NegativeInfinity], ChoiceMethod.Direct);

        Assert.Equal(["a", "b", "c"], result.Scores.Select(s => s.Choice.Name));
        Assert.Equal(1, result.Scores.Sum(s => s.Probability), 12);
        Assert.Equal("b", result.Best.Choice.Name);
        Assert.Equal(0, result.Scores[2].Probability);
        Assert.Equal((Math.E - 1) / (Math.E + 1), result.Margin, 12);
    }

    [Fact]
    public void Options_that_are_all_impossible_are_equally_likely()
    {
        var result = ChoiceQuestions.Normalise(
            Question, [double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity], ChoiceMethod.Direct);
        Assert.All(result.Scores, s => Assert.Equal(1 / 3d, s.Probability, 12));
        Assert.Equal(0, result.Margin, 12);
    }

    [Fact]
    public void A_question_that_cannot_be_decided_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ChoiceQuestions.Validate(Question with { Options = [] }));
        Assert.Throws<ArgumentException>(() => ChoiceQuestions.Validate(Question with { Options = [new("x"), new("x")] }));
        Assert.Throws<ArgumentException>(() => ChoiceQuestions.Validate(Question with { LogPriors = [0] }));
    }

    [Theory]
    [InlineData("""{"choice":"b"}""", "b")]
    [InlineData("""{"choice":"nobody"}""", null)]
    [InlineData("I would say b.", null)]
    [InlineData("[]", null)]
    public async Task A_client_without_likelihoods_writes_the_name_and_babble_is_no_preference(string answer, string? best)
    {
        using var client = new OneAnswer(answer);
        var result = await client.GetChoiceScorer().ScoreAsync(Question);

        Assert.Equal(ChoiceMethod.Generated, result.Method);
        if (best is null)
        {
            Assert.All(result.Scores, s => Assert.Equal(1 / 3d, s.Probability, 12));
        }
        else
        {
            Assert.Equal(best, result.Best.Choice.Name);
        }

        Assert.IsType<ChatResponseFormatJson>(client.Options!.ResponseFormat);
    }

    private sealed class OneAnswer(string answer) : IChatClient
    {
        public ChatOptions? Options { get; private set; }

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            Options = options;
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer)));
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
