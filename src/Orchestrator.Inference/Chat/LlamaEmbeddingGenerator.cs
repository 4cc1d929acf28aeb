using Microsoft.Extensions.AI;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Chat;

/// <summary>A local model's own embeddings: vectors of length 1, as long as the model is wide.</summary>
public sealed class LlamaEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly IInferenceEngine _engine;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <summary>Creates a generator over an engine whose driver was opened for embeddings. The engine stays the caller's.</summary>
    /// <param name="engine">The engine.</param>
    public LlamaEmbeddingGenerator(IInferenceEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _engine = engine;
        _metadata = new EmbeddingGeneratorMetadata("orchestrator", null, engine.Model.Name, engine.Model.EmbeddingLength);
    }

    /// <inheritdoc/>
    /// <exception cref="Orchestrator.Core.OrchestratorException">A text does not fit the context.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var inputs = values.Select(Tokenize).ToArray();
        var vectors = await _engine.EmbedAsync(inputs, cancellationToken).ConfigureAwait(false);
        var tokens = inputs.Sum(i => i.Length);
        return new GeneratedEmbeddings<Embedding<float>>(
            vectors.Select(v => new Embedding<float>(v) { ModelId = _engine.Model.Name }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType.IsInstanceOfType(_metadata) ? _metadata
            : null;
    }

    /// <summary>Does nothing: the engine is the caller's.</summary>
    public void Dispose()
    {
    }

    private int[] Tokenize(string text)
    {
        var ids = _engine.Tokenizer.Tokenize(text, parseSpecial: false);
        return _engine.Tokenizer.BeginOfText is { } begin ? [begin, .. ids] : ids.Length > 0 ? ids : [_engine.Tokenizer.EndOfText];
    }
}
