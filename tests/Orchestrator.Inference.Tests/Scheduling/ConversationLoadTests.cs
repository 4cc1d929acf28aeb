using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using Orchestrator.Testing.Models;
using Orchestrator.Testing.Workloads;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>A short part of the soak: 64 conversations, a cache far too small for them, and no cell lost.</summary>
public sealed class ConversationLoadTests
{
    [Fact]
    public async Task Sixty_four_conversations_leave_no_cell_behind()
    {
        await using var harness = new EngineHarness(
            new FakeDriverOptions { ContextSize = 4096, TrainedContext = 1024, MaxSequences = 32, BatchSize = 128 },
            new InferenceEngineOptions { MaxActive = 24, StateCacheBytes = 200_000 });

        var result = await new ConversationLoad(harness.Engine, new() { Turns = 6, Adapters = ["a", "b"] }).RunAsync();

        Assert.Equal(64 * 6, result.Turns);
        Assert.True(result is { Cancelled: > 0, Choices: > 0, Messages: > 0, Malformed: 0 }, result.ToString());
        Assert.True(harness.Engine.GetStatistics().EvictedTokens > 0, "The cache was large enough for all.");
        await harness.AssertClean();
    }

    [Fact]
    public async Task Nor_on_llama_cpp()
    {
        await using var engine = new InferenceEngine(
            LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = TinyModel.SharedPath, ContextSize = 4096, MaxSequences = 32, BatchSize = 128, Threads = 1 }),
            new InferenceEngineOptions { StateCacheBytes = 1 << 20 });

        var result = await new ConversationLoad(engine, new() { Turns = 3 }).RunAsync();

        Assert.Equal((64 * 3, 0), (result.Turns, result.Malformed));
        Assert.Empty(await engine.AuditAsync());
        await engine.ClearCacheAsync();
        Assert.Empty(await engine.AuditAsync());
        Assert.Equal((0, 0), (engine.GetStatistics().CellsUsed, engine.GetStatistics().ActiveRequests));
    }
}
