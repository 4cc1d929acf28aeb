using System.Text;
using FsCheck.Xunit;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

public class ConstrainedGenerationTests
{
    private static readonly string[] Bids =
        ["{\"name\":\"ann\",\"answer\":true}", "{\"name\":\"ann\",\"answer\":false}", "{\"name\":\"bob\",\"answer\":true}", "{\"name\":\"bob\"}"];

    [Property(MaxTest = 100, Replay = "77,31")]
    public void Every_answer_is_whole_whatever_the_budget(int seed) => CheckAsync(seed).GetAwaiter().GetResult();

    [Fact]
    public async Task Forced_text_takes_no_steps_of_its_own()
    {
        await using var harness = new EngineHarness();
        var prompt = Text("Bid: ");

        var answer = await harness.Generate(Request(harness, prompt, 64, 1));

        // What begins every bid is computed with the prompt, and there are two choices at most.
        Assert.InRange(harness.Driver.Decodes, 1, 3);
        Assert.Contains(Written(harness, answer), Bids);
        Assert.True(answer[0].Forced);
        Assert.True(float.IsNaN(answer[0].LogProbability));
        Assert.Equal(answer.Count(t => t.Forced), answer[^1].Cost!.ForcedTokens);
        Assert.Equal(StopReason.EndOfAnswer, answer[^1].Stop);
        Assert.Equal(prompt.Length, answer[^1].Cost!.ComputedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_text_without_choices_is_not_computed_at_all()
    {
        await using var harness = new EngineHarness();
        var answer = await harness.Generate(Greedy(Text("x"), 64) with { Constraint = new TextsConstraint(harness.Engine.Tokenizer, "the answer é") });
        Assert.Equal("the answer é", Written(harness, answer));
        Assert.Equal(0, harness.Driver.Decodes);
    }

    [Fact]
    public async Task A_budget_that_no_answer_fits_is_refused()
    {
        await using var harness = new EngineHarness();
        var error = await Assert.ThrowsAsync<InferenceException>(() => harness.Generate(Request(harness, Text("x"), 3, 1)));
        Assert.Equal(InferenceError.BadRequest, error.Error);
        await harness.AssertClean();
    }

    private static async Task CheckAsync(int seed)
    {
        var random = new Random(seed);
        await using var harness = new EngineHarness(new FakeDriverOptions { ContextSize = 256, BatchSize = random.Next(4, 32) });
        string[] texts = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => new string([.. Enumerable.Range(0, random.Next(0, 30)).Select(_ => "abé世the "[random.Next(8)])]))];
        var works = Enumerable.Range(0, 6).Select(async i =>
        {
            var request = Request(harness, Text($"Prompt {i}"), random.Next(1, 60), (ulong)i) with
            {
                Constraint = new TextsConstraint(harness.Engine.Tokenizer, texts),
            };
            try
            {
                var answer = await harness.Generate(request);
                Assert.Contains(Written(harness, answer), texts);
                Assert.InRange(answer.Count, 1, request.MaxTokens);
                Assert.Equal(StopReason.EndOfAnswer, answer[^1].Stop);
            }
            catch (InferenceException error) when (error.Error == InferenceError.BadRequest)
            {
                // Refused only where even the shortest does not fit.
                Assert.True(request.MaxTokens <= texts.Min(t => Encoding.UTF8.GetByteCount(t)));
            }
        });
        await Task.WhenAll(works);
        await harness.AssertClean();
    }

    private static GenerationRequest Request(EngineHarness harness, int[] prompt, int most, ulong seed) => new()
    {
        Prompt = prompt,
        MaxTokens = most,
        Sampling = new SamplingOptions { Temperature = 1, Seed = seed },
        Constraint = new TextsConstraint(harness.Engine.Tokenizer, Bids),
    };

    private static string Written(EngineHarness harness, IEnumerable<GeneratedToken> answer) =>
        Encoding.UTF8.GetString([.. answer.SelectMany(t => harness.Engine.Tokenizer.GetBytes(t.Token).ToArray())]);
}
