using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Hosting;

/// <summary>Loads models, each once, and keeps them until it is disposed. Safe to call from any thread.</summary>
public sealed class ModelHost : IAsyncDisposable
{
    // What a conversation of a team needs comfortably; a larger context is a setting away.
    private const int OrdinaryContext = 8192;
    private const int EmbeddingContext = 2048;

    private readonly InferenceOptions _options;
    private readonly ModelStore _store;
    private readonly ModelProbe _probe;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly Dictionary<string, LoadedModel> _models = [];

    /// <summary>Creates a host without models.</summary>
    /// <param name="options">How models are loaded.</param>
    /// <param name="store">Finds models by name.</param>
    /// <param name="probe">Tries files that were never loaded here.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Gets the native library's messages.</param>
    public ModelHost(IOptions<InferenceOptions> options, ModelStore store, ModelProbe probe, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _store = store;
        _probe = probe;
        _time = time;
        _loggers = loggers;
    }

    /// <summary>Bytes of memory for models; null asks the machine.</summary>
    internal Func<long>? AvailableMemory { get; init; }

    /// <summary>Loads a model, or finds it loaded.</summary>
    /// <param name="nameOrPath">A name in the store or a GGUF file's path; null for the one in the settings.</param>
    /// <param name="progress">Told the share that is loaded, 0 to 1; may be null.</param>
    /// <param name="cancellationToken">Stops the loading.</param>
    /// <returns>The model; it stays this host's.</returns>
    /// <exception cref="OrchestratorException">There is no such model, it is broken, or it does not fit.</exception>
    public async Task<LoadedModel> LoadAsync(
        string? nameOrPath = null, IProgress<float>? progress = null, CancellationToken cancellationToken = default)
    {
        var path = _store.Resolve(nameOrPath ?? _options.Model);
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_models.TryGetValue(path, out var model))
            {
                model = await Task.Run(() => TryAndLoadAsync(path, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
                _models[path] = model;
            }

            return model;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Frees all models.</summary>
    /// <returns>When they are free.</returns>
    public async ValueTask DisposeAsync()
    {
        foreach (var model in _models.Values)
        {
            await model.DisposeAsync().ConfigureAwait(false);
        }

        _models.Clear();
        _loading.Dispose();
    }

    private async Task<LoadedModel> TryAndLoadAsync(string path, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        var file = GgufValidator.ReadValid(path, cancellationToken);
        var card = ModelCard.Of(file);
        var context = ChooseContext(card);
        if (!_probe.IsDue(file))
        {
            return Load(path, file, card, context, progress, cancellationToken);
        }

        await _probe.TryAsync(file, progress is null ? null : new Half(progress, 0), cancellationToken).ConfigureAwait(false);
        return Load(path, file, card, context, progress is null ? null : new Half(progress, 1), cancellationToken);
    }

    private LoadedModel Load(string path, GgufModel file, ModelCard card, int context, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        var window = card.SlidingWindow ?? 0;
        var sequences = Math.Max(1, Math.Min(_options.MaxSequences, LlamaMemory.MostOf(context, window)));
        var options = new LlamaDriverOptions
        {
            ModelPath = path,
            ContextSize = context,
            BatchSize = Math.Max(_options.BatchSize, LlamaMemory.CountNative(sequences, window)),
            MaxSequences = sequences,
            Threads = _options.Threads,
            GpuLayers = _options.GpuLayers,
        };
        var logger = _loggers.CreateLogger<ModelHost>();
        var driver = LlamaDriverLoader.Open(options, logger, progress, cancellationToken);
        var embedding = Math.Min(card.Context, EmbeddingContext);
        var embeddings = new LazyEmbeddingGenerator(
            () => LlamaDriverLoader.Open(
                options with { Embeddings = true, ContextSize = embedding, BatchSize = embedding, MaxSequences = 1 }, logger),
            _time);
        IModelDriver? draft = null;
        try
        {
            draft = OpenDraft(options, logger, cancellationToken);
            return LoadedModel.Create(
                driver, _options, _time, embeddings, card, _loggers, new StoreAdapters(_store, file), draft, ReadProfile(file, logger));
        }
        catch
        {
            draft?.Dispose();
            driver.Dispose();
            throw;
        }
    }

    private static DecisionProfile? ReadProfile(GgufModel file, ILogger logger)
    {
        var (profile, problem) = DecisionProfileFile.Read(file);
        if (problem is not null)
        {
            logger.LogWarning("{Problem} Decisions take the default methods", problem);
        }

        return profile;
    }

    /// <summary>Opens the draft model, with a cache like the model's.</summary>
    private IModelDriver? OpenDraft(LlamaDriverOptions model, ILogger logger, CancellationToken cancellationToken)
    {
        if (_options.DraftModel is not { } name || _store.Resolve(name) is not { } path || path == model.ModelPath)
        {
            return null;
        }

        return LlamaDriverLoader.Open(model with { ModelPath = path }, logger, progress: null, cancellationToken);
    }

    private int ChooseContext(ModelCard card)
    {
        // Weights are mapped from their files, so the machine counts those of the models loaded before as available.
        var others = _models.Values.Sum(model => model.Card?.FileBytes ?? 0);
        var available = Math.Max(0, (AvailableMemory?.Invoke() ?? Hardware.Detect().AvailableMemory) - others);
        var use = _options.MemoryAssumptions;
        if (_options.ContextSize > 0)
        {
            card.RequireMemory(_options.ContextSize, available, use);
            return _options.ContextSize;
        }

        var wanted = Math.Min(card.Context, OrdinaryContext);
        var fits = card.LargestContext(available, use);
        if (fits < Math.Min(wanted, 512))
        {
            card.RequireMemory(wanted, available, use);
        }

        return Math.Min(wanted, fits);
    }

    /// <summary>A file that is tried is loaded twice, and both times are one progress.</summary>
    private sealed class Half(IProgress<float> whole, int before) : IProgress<float>
    {
        public void Report(float value) => whole.Report((before + value) / 2);
    }
}
