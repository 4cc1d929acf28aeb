using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>An engine over a fake driver, and the plainest possible reference for what it must give.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    public EngineHarness(
        FakeDriverOptions? driver = null, InferenceEngineOptions? options = null, TimeProvider? time = null, FakeDriverOptions? draft = null)
    {
        Driver = new FakeDriver(driver);
        DraftDriver = draft is null ? null : new FakeDriver(draft);
        Engine = new InferenceEngine(Driver, options, Path, time, draft: DraftDriver);
    }

    public FakeDriver? DraftDriver { get; }

    public FakeDriver Driver { get; }

    public InferenceEngine Engine { get; }

    public static string? Path(string adapter) => adapter == "unknown" ? null : $"/adapters/{adapter}";

    public static int[] Text(string text) => new FakeTokenizer(new FakeDriverOptions().Merges).Tokenize(text, true);

    /// <summary>The answer by a bare loop over a driver of its own: no scheduler, no cache, no sharing.</summary>
    public static List<int> Alone(IReadOnlyList<int> prompt, int count, FakeDriverOptions? options = null, params AdapterUse[] adapters)
    {
        var driver = new FakeDriver((options ?? new FakeDriverOptions()) with { ContextSize = 8192, BatchSize = 8192, OnDecode = null, MaxSequences = 1 });
        var numbers = adapters.Select(a => (Adapter: driver.LoadAdapter(Path(a.Name)!), a.Scale)).ToArray();
        var activated = Array.FindIndex(numbers, n => driver.InvocationTokens(n.Adapter).Count > 0);
        var start = 0;
        var batch = new DecodeBatch();
        if (activated >= 0)
        {
            // Without it up to its last invocation; nowhere with it where there is none.
            start = prompt.ToArray().AsSpan().LastIndexOf(driver.InvocationTokens(numbers[activated].Adapter).ToArray());
            var others = numbers.Where((_, i) => i != activated).ToArray();
            driver.SetAdapters(others);
            numbers = start < 0 ? others : numbers;
            start = Math.Max(start, 0);
            for (var i = 0; i < start; i++)
            {
                batch.Add(prompt[i], i, false, 0);
            }

            if (start > 0)
            {
                driver.Decode(batch);
                batch.Clear();
            }
        }

        driver.SetAdapters(numbers);
        for (var i = start; i < prompt.Count; i++)
        {
            batch.Add(prompt[i], i, i == prompt.Count - 1, 0);
        }

        var answer = new List<int>();
        while (true)
        {
            driver.Decode(batch);
            var logits = driver.GetLogits(batch.Count - 1).ToArray();
            answer.Add(Array.IndexOf(logits, logits.Max()));
            if (answer.Count == count || driver.Tokenizer.IsEndOfGeneration(answer[^1]))
            {
                return answer;
            }

            batch.Clear();
            batch.Add(answer[^1], prompt.Count + answer.Count - 1, true, 0);
        }
    }

    public static GenerationRequest Greedy(IReadOnlyList<int> prompt, int count, params AdapterUse[] adapters) => new()
    {
        Prompt = prompt,
        MaxTokens = count,
        Sampling = new SamplingOptions { Temperature = 0 },
        Origin = new ModelRequest { Adapters = adapters },
    };

    public async Task<List<GeneratedToken>> Generate(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in Engine.GenerateAsync(request, cancellationToken))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    public async Task AssertClean()
    {
        Assert.Empty(await Engine.AuditAsync());
        Assert.Equal(0, Engine.GetStatistics().ActiveRequests);
        await Engine.ClearCacheAsync();
        Assert.Empty(await Engine.AuditAsync());
        Assert.Equal(0, Driver.CountUsedCells());
        Assert.Equal(0, DraftDriver?.CountUsedCells() ?? 0);
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
