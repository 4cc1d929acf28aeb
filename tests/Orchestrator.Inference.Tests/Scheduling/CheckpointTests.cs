using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>Where the cache can't be cut, a state is kept where a request says that others will go on from there.</summary>
public class CheckpointTests
{
    private static readonly FakeDriverOptions Whole = new() { CanCut = false, ContextSize = 1 << 16 };

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task In_a_conversation_each_token_is_computed_once(bool atOnce, bool keepsCue)
    {
        await using var harness = new EngineHarness(Whole);
        var talk = new TeamTalk(harness.Engine, atOnce, keepsCue);

        await talk.RunAsync();

        Assert.Equal(talk.New, talk.Computed);
        await harness.AssertClean();
    }

    [Fact]
    public async Task A_prompt_kept_to_its_end_is_not_computed_again()
    {
        await using var harness = new EngineHarness(Whole);
        var prompt = Text("What does the log say?");
        var request = Greedy(prompt, 8) with { Checkpoints = [prompt.Length] };
        var first = await harness.Generate(request);

        var again = await harness.Generate(request);
        var other = await harness.Generate(Greedy([.. prompt, .. Text("No.")], 8));

        Assert.Equal(first.Select(t => t.Token), again.Select(t => t.Token));
        Assert.Equal((0, 3), (again[^1].Cost!.ComputedTokens, other[^1].Cost!.ComputedTokens));
        Assert.Equal(Alone([.. prompt, .. Text("No.")], 8, Whole), other.Select(t => t.Token));
        await harness.AssertClean();
    }

    [Theory]
    [InlineData(2, 400)]
    [InlineData(3, 400)]
    [InlineData(6, 2_000)]
    [InlineData(12, 700)]
    public async Task Little_room_costs_computation_and_nothing_else(int sequences, int cells)
    {
        var options = Whole with { MaxSequences = sequences, ContextSize = cells, BatchSize = 32, EndLogit = -10 };
        await using var harness = new EngineHarness(options, new InferenceEngineOptions { StateCacheBytes = 50_000 });
        for (var round = 0; round < 6; round++)
        {
            var prompts = Enumerable.Range(0, 5).Select(i => Text($"{i % 2} is the conversation, and it goes on as far as {round}, says {i}")).ToArray();
            var answers = await Task.WhenAll(prompts.Select(p => harness.Generate(Greedy(p, 6) with { Checkpoints = [p.Length / 2, p.Length - 1, p.Length] })));
            Assert.All(prompts.Zip(answers), a => Assert.Equal(Alone(a.First, 6, options), a.Second.Select(t => t.Token)));
            Assert.Empty(await harness.Engine.AuditAsync());
        }

        await harness.AssertClean();
    }

    [Fact]
    public async Task A_state_that_saves_much_outlives_those_that_save_little()
    {
        // The transcript takes a sequence, and each answer three more, of eight.
        await using var harness = new EngineHarness(
            Whole with { MaxSequences = 8, EndLogit = -10 }, new InferenceEngineOptions { StateCacheBytes = 0 });
        var transcript = Text(string.Concat(Enumerable.Repeat("a team of agents works on one model. ", 4)));
        var computed = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            int[] prompt = [.. transcript, .. Text($"{(char)('A' + i)}: ")];
            var answer = await harness.Generate(Greedy(prompt, 4) with { Checkpoints = [transcript.Length, prompt.Length - 1, prompt.Length] });
            computed.Add(answer[^1].Cost!.ComputedTokens);
        }

        Assert.Equal([transcript.Length + 3, 3, 3, 3, 3, 3], computed);
        await harness.AssertClean();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public async Task A_place_outside_the_prompt_is_refused(int position)
    {
        await using var harness = new EngineHarness(Whole);
        var error = await Assert.ThrowsAsync<InferenceException>(
            () => harness.Generate(Greedy([1, 2, 3, 4, 5], 2) with { Checkpoints = [position] }));
        Assert.Equal(InferenceError.BadRequest, error.Error);
    }
}
