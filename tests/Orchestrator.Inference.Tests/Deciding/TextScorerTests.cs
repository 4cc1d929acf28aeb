using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Tests.Scheduling;

namespace Orchestrator.Inference.Tests.Deciding;

public class TextScorerTests
{
    private const string Text = "The quick brown fox jumps over the lazy dog, and the dog sleeps on.";

    [Fact]
    public async Task A_text_is_scored_as_the_engine_scores_it()
    {
        await using var harness = new EngineHarness();
        var tokens = Tokens(harness, Text);

        var score = await new TextScorer(harness.Engine).ScoreAsync(Text, new TextScoreOptions { PerToken = true });

        var expected = await harness.Engine.ScoreAsync(new ScoreRequest { Sequences = [new ScoreSequence(tokens[..1], tokens[1..])] });
        Assert.Equal(expected.LogProbabilities[0].Sum(x => (double)x), score.LogLikelihood, 6);
        Assert.Equal(tokens.Length - 1, score.Tokens);
        Assert.Equal(Math.Exp(-score.LogLikelihood / score.Tokens), score.Perplexity);
        Assert.Equal(1, score.Windows);
        Assert.Equal(score.LogLikelihood, score.PerToken!.Sum(t => t.LogProbability ?? 0), 6);
        Assert.Equal(Text, string.Concat(score.PerToken!.Select(t => t.Text)).TrimStart());
        await harness.AssertClean();
    }

    [Theory]
    [InlineData(8, 4)]
    [InlineData(8, 7)]
    [InlineData(5, 1)]
    [InlineData(2, 1)]
    public async Task A_longer_text_is_scored_in_windows_that_overlap(int window, int stride)
    {
        await using var harness = new EngineHarness();
        var tokens = Tokens(harness, Text);

        var score = await new TextScorer(harness.Engine).ScoreAsync(
            Text, new TextScoreOptions { Window = window, Stride = stride, PerToken = true });

        // Each token by itself: what its window shows of what stands before it.
        var own = score.PerToken!.Count;
        var end = window;
        for (var i = 1; i < tokens.Length; i++)
        {
            while (i >= end)
            {
                end = Math.Min(end + stride, tokens.Length);
            }

            var from = Math.Max(0, end - window);
            var alone = await harness.Engine.ScoreAsync(new ScoreRequest { Sequences = [new ScoreSequence(tokens[from..i], [tokens[i]])] });
            Assert.Equal(alone.LogProbabilities[0][0], score.PerToken[i - (tokens.Length - own)].LogProbability!.Value, 5);
        }

        Assert.Equal(tokens.Length - 1, score.Tokens);
        Assert.Equal(1 + (int)Math.Ceiling((tokens.Length - window) / (double)stride), score.Windows);
    }

    [Fact]
    public async Task What_cannot_be_scored_is_refused()
    {
        await using var harness = new EngineHarness();
        var scorer = new TextScorer(harness.Engine);
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(""));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(Text, new TextScoreOptions { Window = 1 }));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(Text, new TextScoreOptions { Window = 1 << 30 }));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(Text, new TextScoreOptions { Window = 8, Stride = 8 }));
    }

    private static int[] Tokens(EngineHarness harness, string text)
    {
        var tokenizer = harness.Engine.Tokenizer;
        int[] own = tokenizer.Tokenize(text, false);
        return tokenizer.BeginOfText is { } begin ? [begin, .. own] : own;
    }
}
