using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Store;
using Orchestrator.Inference.Tests.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Hosting;

/// <summary>Adapters by name and by path, through the host, on llama.cpp.</summary>
public sealed class AdapterHostingTests : ModelStoreFixture
{
    private const string Question = "Tell me what you think of this.";

    [Fact]
    public async Task An_adapter_of_the_store_is_listed_with_its_base_and_used_by_name_or_path()
    {
        var store = Store();
        await store.AddAsync(TinyModel.SharedPath, "tiny");
        var record = await store.AddAsync(Adapter("tone", new TinyAdapterOptions { Base = "tiny base" }));
        Assert.Equal("tiny base", record.Adapter?.Base);
        Assert.Equal("tiny base", store.Find("tone")!.Adapter!.ToString());
        await store.VerifyAsync("tone");
        Assert.Equal(TinyModel.SharedPath, store.Resolve(null));
        Assert.Contains("adapter for tiny base", Assert.Throws<OrchestratorException>(() => store.Resolve("tone")).Message, StringComparison.Ordinal);

        await using var host = Host(store);
        var model = await host.LoadAsync("tiny");
        Assert.Equal(["tone"], model.Chat.GetService<IModelAdapters>()!.List());
        var plain = await AskAsync(model);
        var byName = await AskAsync(model, new AdapterUse("tone"));
        var byPath = await AskAsync(model, new AdapterUse(record.Path));
        Assert.NotEqual(plain, byName);
        Assert.Equal(byName, byPath);
        Assert.NotEqual(byName, await AskAsync(model, new AdapterUse("tone", 0.1f)));
        Assert.Equal(plain, await AskAsync(model, new AdapterUse("tone", 0)));
        var model404 = await Assert.ThrowsAsync<InferenceException>(() => AskAsync(model, new AdapterUse("none")));
        Assert.Contains("'none'", model404.Message, StringComparison.Ordinal);
        Assert.Contains("is a model", (await Assert.ThrowsAsync<OrchestratorException>(() => AskAsync(model, new AdapterUse("tiny")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_of_another_base_is_refused_with_both_names()
    {
        var store = Store();
        var other = TinyModel.Create(Folder.File("other.gguf"), new TinyModelOptions { Name = "other", Width = 32, FeedForward = 64 });
        await store.AddAsync(TinyAdapter.Create(Folder.File("foreign.gguf"), other, new TinyAdapterOptions { Base = "the other model" }));
        await using var host = Host(store);
        var model = await host.LoadAsync(TinyModel.SharedPath);
        Assert.Empty(model.Chat.GetService<IModelAdapters>()!.List());
        var error = await Assert.ThrowsAsync<InferenceException>(() => AskAsync(model, new AdapterUse("foreign")));
        Assert.Contains("the other model", error.Message, StringComparison.Ordinal);
        Assert.Contains("tiny", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(await AskAsync(model));
    }

    [Fact]
    public async Task Adapters_are_added_replaced_and_removed_while_answers_are_written()
    {
        var store = Store();
        await using var host = Host(store);
        var model = await host.LoadAsync(TinyModel.SharedPath);
        var plain = await AskAsync(model);
        using var stop = new CancellationTokenSource();
        var traffic = Enumerable.Range(0, 3).Select(async i =>
        {
            while (!stop.IsCancellationRequested)
            {
                await model.Chat.GetResponseAsync($"{i}: go on talking", new ChatOptions { MaxOutputTokens = 8, Temperature = 0 });
            }
        }).ToArray();

        // Many tensors, so that a graph planned without them would be too small.
        string[] all = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
        var answers = new HashSet<string> { plain };
        for (var i = 0; i < 6; i++)
        {
            var path = Adapter($"a{i}", new TinyAdapterOptions { Seed = i + 1, Rank = 8, Targets = all });
            await store.AddAsync(path);
            Assert.True(answers.Add(await AskAsync(model, new AdapterUse($"a{i}"))));
        }

        Assert.Equal(6, model.Engine.GetStatistics().AdaptersLoaded);
        var both = await AskAsync(model, new AdapterUse("a0", 0.5f), new AdapterUse("a1", 0.5f));
        Assert.True(answers.Add(both));
        await model.Engine.RemoveAdapterAsync("a0");
        await store.RemoveAsync("a1");
        Assert.Equal(InferenceError.Adapter, (await Assert.ThrowsAsync<InferenceException>(() => AskAsync(model, new AdapterUse("a1")))).Error);
        Adapter("a2", new TinyAdapterOptions { Seed = 99, Targets = all });
        Assert.True(answers.Add(await AskAsync(model, new AdapterUse("a2"))));
        Assert.Equal(4, model.Engine.GetStatistics().AdaptersLoaded);

        await stop.CancelAsync();
        await Task.WhenAll(traffic);
        Assert.Equal(plain, await AskAsync(model));
        Assert.Empty(await ((InferenceEngine)model.Engine).AuditAsync());
    }

    [Fact]
    public async Task An_activated_adapter_gives_what_a_bare_run_gives_and_shares_the_base()
    {
        using var bare = Open();
        var tokenizer = bare.Tokenizer;
        var invocation = tokenizer.Tokenize(" judge:", parseSpecial: false);
        var path = Adapter("judge", new TinyAdapterOptions { InvocationTokens = [.. invocation.Select(t => (uint)t)] });
        var shared = tokenizer.Tokenize("All of them have read this, and none of them computes it again. It is long enough to count.", parseSpecial: false);
        int[] prompt = [.. shared, .. invocation, .. tokenizer.Tokenize(" was it good?", parseSpecial: false)];

        var expected = Bare(bare, bare.LoadAdapter(path), prompt, shared.Length, 16);
        await using var engine = new InferenceEngine(Open(), adapterPath: _ => path);
        await RunAsync(engine, new GenerationRequest { Prompt = shared, MaxTokens = 1 });
        var (answer, cost) = await RunAsync(engine, new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = 16,
            Sampling = new SamplingOptions { Temperature = 0 },
            Origin = new ModelRequest { Adapters = [new AdapterUse("judge")] },
        });

        // Batches of other sizes round otherwise: equal up to the first step at which two tokens are about as likely.
        var agree = expected.Tokens.Zip(answer).TakeWhile(p => p.First == p.Second).Count();
        Assert.True(agree == answer.Count || expected.Margins[agree] < 0.1f, $"{agree} of {answer.Count} agree.");
        Assert.True(agree > 0);
        Assert.Equal(shared.Length, cost.ReusedTokens);
        Assert.Equal(prompt.Length - shared.Length, cost.ComputedTokens);
        Assert.Empty(await engine.AuditAsync());

        using var whole = Open();
        var adapter = whole.LoadAdapter(path);
        Assert.NotEqual(expected.Tokens, Bare(whole, adapter, prompt, 0, 16).Tokens);
    }

    [Fact]
    public async Task Several_models_are_served_by_one_process_and_all_count_against_the_memory()
    {
        var store = Store();
        var second = TinyModel.Create(Folder.File("second.gguf"), new TinyModelOptions { Name = "second", Seed = 7 });
        var third = TinyModel.Create(Folder.File("third.gguf"), new TinyModelOptions { Name = "third", Seed = 8 });
        var card = Inference.Gguf.ModelCard.Of(Inference.Gguf.GgufReader.ReadModel(third));
        await using var host = Host(store, memory: card.MemoryAt(512, Settings.MemoryAssumptions).Total + (2 * card.FileBytes) - 1);
        var models = await Task.WhenAll(host.LoadAsync(TinyModel.SharedPath), host.LoadAsync(second), host.LoadAsync(second));
        Assert.Same(models[1], models[2]);
        var answers = await Task.WhenAll(AskAsync(models[0]), AskAsync(models[1]));
        Assert.NotEqual(answers[0], answers[1]);
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => host.LoadAsync(third));
        Assert.Equal(ErrorKind.Model, error.Kind);
        Assert.Equal(answers[0], await AskAsync(models[0]));
    }

    private static InferenceOptions Settings { get; } = new() { ContextSize = 512, MaxSequences = 8, BatchSize = 64, Threads = 1, GpuLayers = 0 };

    private static ModelHost Host(ModelStore store, long? memory = null) => new(
        Options.Create(Settings),
        store,
        new ModelProbe(Options.Create(Settings), store, TimeProvider.System, NullLogger<ModelProbe>.Instance),
        TimeProvider.System,
        NullLoggerFactory.Instance)
    {
        AvailableMemory = memory is { } bytes ? () => bytes : null,
    };

    private static IModelDriver Open() => LlamaDriverLoader.Open(new LlamaDriverOptions
    {
        ModelPath = TinyModel.SharedPath,
        ContextSize = 512,
        BatchSize = 128,
        MaxSequences = 8,
        Threads = 1,
        GpuLayers = 0,
    });

    private static async Task<string> AskAsync(LoadedModel model, params AdapterUse[] adapters)
    {
        var options = new ChatOptions { MaxOutputTokens = 12, Temperature = 0 };
        return (await model.Chat.GetResponseAsync(Question, new ModelRequest { Adapters = adapters }.ApplyTo(options))).Text;
    }

    private static async Task<(List<int> Tokens, GenerationCost Cost)> RunAsync(InferenceEngine engine, GenerationRequest request)
    {
        var tokens = new List<int>();
        GenerationCost? cost = null;
        await foreach (var token in engine.GenerateAsync(request))
        {
            tokens.Add(token.Token);
            cost = token.Cost ?? cost;
        }

        return (tokens, cost!);
    }

    /// <summary>The base up to a position and the adapter from there on, by the driver alone.</summary>
    private static (List<int> Tokens, List<float> Margins) Bare(IModelDriver driver, int adapter, int[] prompt, int start, int count)
    {
        var batch = new DecodeBatch();
        if (start > 0)
        {
            Add(prompt.AsSpan(..start), 0, output: false);
            driver.Decode(batch);
        }

        driver.SetAdapters([(adapter, 1f)]);
        Add(prompt.AsSpan(start..), start, output: true);
        var (tokens, margins) = (new List<int>(), new List<float>());
        while (true)
        {
            Assert.Equal(DecodeStatus.Done, driver.Decode(batch));
            var logits = driver.GetLogits(batch.Count - 1).ToArray();
            var best = Array.IndexOf(logits, logits.Max());
            tokens.Add(best);
            margins.Add(logits[best] - logits.Where((_, i) => i != best).Max());
            if (tokens.Count == count || driver.Tokenizer.IsEndOfGeneration(best))
            {
                return (tokens, margins);
            }

            Add([best], prompt.Length + tokens.Count - 1, output: true);
        }

        void Add(ReadOnlySpan<int> text, int first, bool output)
        {
            batch.Clear();
            for (var i = 0; i < text.Length; i++)
            {
                batch.Add(text[i], first + i, output && i == text.Length - 1, 0);
            }
        }
    }

    private string Adapter(string name, TinyAdapterOptions? options = null) =>
        TinyAdapter.Create(Folder.File($"{name}.gguf"), TinyModel.SharedPath, (options ?? new TinyAdapterOptions()) with { Name = name });
}
