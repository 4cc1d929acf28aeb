using Microsoft.Extensions.AI;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Hosting;

/// <summary>
/// Opens a model a second time, for embeddings, when the first is asked for: a context gives either embeddings or
/// answers. The weights are mapped from the same file, so they take no more memory.
/// </summary>
internal sealed class LazyEmbeddingGenerator(Func<IModelDriver> open, TimeProvider time)
    : IEmbeddingGenerator<string, Embedding<float>>, IAsyncDisposable
{
    private readonly Lazy<(InferenceEngine Engine, LlamaEmbeddingGenerator Generator)> _inner = new(() =>
    {
        var engine = new InferenceEngine(open(), time: time);
        return (engine, new LlamaEmbeddingGenerator(engine));
    });

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var generator = await Task.Run(() => _inner.Value.Generator, cancellationToken).ConfigureAwait(false);
        return await generator.GenerateAsync(values, options, cancellationToken).ConfigureAwait(false);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : _inner.Value.Generator.GetService(serviceType, serviceKey);

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => _inner.IsValueCreated ? _inner.Value.Engine.DisposeAsync() : ValueTask.CompletedTask;
}
