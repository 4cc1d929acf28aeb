using Orchestrator.Core;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling.Speculation;

public class DraftModelTests
{
    private static readonly InferenceEngineOptions Options = new()
    {
        Speculation = new SpeculationOptions { PromptLookup = false, StepTime = _ => 1 },
    };

    private static readonly FakeDriverOptions Model = new() { EndLogit = -10 };

    [Fact]
    public async Task A_model_that_agrees_saves_most_of_the_steps()
    {
        await using var harness = new EngineHarness(Model, Options, draft: Model);
        var prompt = Text("What is the cause?");
        var answer = await harness.Generate(Greedy(prompt, 100));
        Assert.Equal(Alone(prompt, 100, Model), answer.Select(t => t.Token));
        Assert.InRange(harness.Driver.Decodes, 1, 34);
        Assert.InRange(answer[^1].Cost!.DraftTokens, 66, 99);
        Assert.Equal(answer[^1].Cost!.DraftedTokens, answer[^1].Cost!.DraftTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task It_draws_with_the_same_random_numbers()
    {
        // All tokens are about equally likely, so that only the same draw gives the same token.
        await using var harness = new EngineHarness(Model, Options, draft: Model);
        var answer = await harness.Generate(Greedy(Text("x"), 100) with { Sampling = new SamplingOptions { Temperature = 5, Seed = 3 } });
        Assert.Equal(answer[^1].Cost!.DraftedTokens, answer[^1].Cost!.DraftTokens);
        Assert.InRange(answer[^1].Cost!.DraftTokens, 66, 99);
    }

    [Fact]
    public async Task A_model_that_never_agrees_is_soon_left_alone()
    {
        await using var harness = new EngineHarness(
            Model,
            new InferenceEngineOptions { Speculation = new SpeculationOptions { PromptLookup = false, StepTime = n => 1 + (0.1 * n) } },
            draft: Model with { Script = _ => 'q' });
        var prompt = Text("What is the cause?");
        var answer = await harness.Generate(Greedy(prompt, 400));
        Assert.Equal(Alone(prompt, 400, Model), answer.Select(t => t.Token));
        Assert.InRange(answer[^1].Cost!.DraftedTokens, 1, 80);
    }

    [Fact]
    public async Task Drafts_of_several_requests_share_batches_and_prefixes()
    {
        await using var harness = new EngineHarness(Model, Options, draft: Model);
        var preamble = string.Concat(Enumerable.Range(0, 20).Select(i => $"Line {i} of the task. "));
        var prompts = Enumerable.Range(0, 4).Select(i => Text($"{preamble}You are {i}.")).ToArray();
        var answers = await Task.WhenAll(prompts.Select(p => harness.Generate(Greedy(p, 60))));
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(Alone(prompts[i], 60, Model), answers[i].Select(t => t.Token));
        }

        Assert.True(answers.Sum(a => a[^1].Cost!.DraftTokens) > 120);
        var most = prompts[0].Length + (4 * 200);
        Assert.InRange(harness.DraftDriver!.TokensComputed, 1, most);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_draft_model_that_fails_is_done_without()
    {
        var decodes = 0;
        await using var harness = new EngineHarness(Model, Options, draft: Model with
        {
            OnDecode = _ => ++decodes == 5 ? throw new InvalidOperationException("out of memory") : null,
        });
        var prompt = Text("What is the cause?");
        var answer = await harness.Generate(Greedy(prompt, 60));
        Assert.Equal(Alone(prompt, 60, Model), answer.Select(t => t.Token));
        Assert.Equal(5, decodes);
    }

    [Fact]
    public void Another_vocabulary_is_refused()
    {
        using var model = new FakeDriver(Model);
        using var other = new FakeDriver(Model with { Merges = ["the", "th"] });
        using var larger = new FakeDriver(Model with { Merges = [.. Enumerable.Range(0, 500).Select(i => $"word{i}")] });
        using var uncut = new FakeDriver(Model with { CanCut = false });
        Assert.Contains("token 260", Assert.Throws<OrchestratorException>(() => new InferenceEngine(model, draft: other)).Message, StringComparison.Ordinal);
        Assert.Contains("760", Assert.Throws<OrchestratorException>(() => new InferenceEngine(model, draft: larger)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be cut", Assert.Throws<OrchestratorException>(() => new InferenceEngine(model, draft: uncut)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Padding_of_the_vocabulary_does_no_harm()
    {
        await using var harness = new EngineHarness(Model, Options, draft: Model with { Merges = [.. Model.Merges, "padding"] });
        var prompt = Text("What is the cause?");
        var answer = await harness.Generate(Greedy(prompt, 60));
        Assert.Equal(Alone(prompt, 60, Model), answer.Select(t => t.Token));
        Assert.True(answer[^1].Cost!.DraftTokens > 0);
    }
}
