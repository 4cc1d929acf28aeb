using FsCheck.Xunit;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Drivers;

/// <summary>The native library asserts much of how contexts are made, and a failed assertion ends the process.</summary>
public class LlamaOptionProperties
{
    [Property(MaxTest = 60, Replay = "21,43")]
    public void Any_options_are_refused_or_serve(int seed) => TryAsync(new Random(seed)).GetAwaiter().GetResult();

    private static async Task TryAsync(Random random)
    {
        int OneOf(params ReadOnlySpan<int> numbers) => numbers[random.Next(numbers.Length)];
        var options = new LlamaDriverOptions
        {
            ModelPath = TinyModel.SharedPathOf((TinyArchitecture)random.Next(4)),
            ContextSize = OneOf(0, 1, 3, 31, 64, 100, 255, 256, 257, 1000),
            BatchSize = OneOf(1, 2, 7, 16, 33, 64, 129, 256, 2048),
            MicroBatchSize = OneOf(0, 0, 1, 5, 64),
            MaxSequences = OneOf(1, 1, 2, 5, 31, 32, 64, 127, 128, 256),
            Threads = 1,
            KvCache = (KvCacheType)random.Next(3),
            Embeddings = random.Next(8) == 0,
        };
        IModelDriver driver;
        try
        {
            driver = LlamaDriverLoader.Open(options);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OrchestratorException { Remedy: not null })
        {
            return;
        }

        await using var engine = new InferenceEngine(driver, new InferenceEngineOptions());
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => AskAsync(
            engine, [.. Enumerable.Range(0, random.Next(1, Math.Min(200, driver.Info.ContextSize))).Select(_ => random.Next(3, 200))], random.Next(3))));
        Assert.Empty(await engine.AuditAsync());
    }

    private static async Task AskAsync(InferenceEngine engine, int[] prompt, int kind)
    {
        try
        {
            switch (kind)
            {
                case 0 when engine.Model.Embeddings:
                    Assert.Single(await engine.EmbedAsync([prompt]));
                    break;
                case 1 when !engine.Model.Embeddings:
                    var scores = await engine.ScoreAsync(new ScoreRequest { Sequences = [.. Enumerable.Range(0, 4).Select(i => new ScoreSequence(prompt, [i + 5, 7]))] });
                    Assert.All(scores.LogProbabilities, values => Assert.All(values, value => Assert.True(value <= 0)));
                    break;
                case 2 when !engine.Model.Embeddings:
                    Assert.NotEmpty(await engine.GenerateAsync(new GenerationRequest { Prompt = prompt, MaxTokens = 6 }).ToListAsync());
                    break;
            }
        }
        catch (InferenceException e) when (e.Error == InferenceError.ContextOverflow)
        {
            Assert.NotNull(e.Remedy);
        }
    }
}
