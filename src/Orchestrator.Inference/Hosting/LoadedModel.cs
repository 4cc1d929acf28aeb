using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Hosting;

/// <summary>A model in memory, with all that serves it.</summary>
public sealed class LoadedModel : IAsyncDisposable
{
    private readonly LazyEmbeddingGenerator _embeddings;

    internal LoadedModel(
        ModelCard card,
        InferenceEngine engine,
        IConstraintCompiler constraints,
        ChatPromptRenderer prompts,
        IChoiceScorer scorer,
        LlamaChatClient chat,
        LazyEmbeddingGenerator embeddings)
    {
        Card = card;
        Engine = engine;
        Constraints = constraints;
        Prompts = prompts;
        Scorer = scorer;
        Chat = chat;
        _embeddings = embeddings;
    }

    /// <summary>What the model is.</summary>
    public ModelCard Card { get; }

    /// <summary>Serves all its requests.</summary>
    public IInferenceEngine Engine { get; }

    /// <summary>Compiles constraints for its vocabulary.</summary>
    public IConstraintCompiler Constraints { get; }

    /// <summary>Lays out messages by its template.</summary>
    public ChatPromptRenderer Prompts { get; }

    /// <summary>Decides between options by its likelihoods.</summary>
    public IChoiceScorer Scorer { get; }

    /// <summary>Talks to it.</summary>
    public LlamaChatClient Chat { get; }

    /// <summary>Its embeddings; the model is opened for them when the first is asked for.</summary>
    public IEmbeddingGenerator<string, Embedding<float>> Embeddings => _embeddings;

    /// <summary>Frees the model's memory; requests under way fail.</summary>
    /// <returns>When it is free.</returns>
    public async ValueTask DisposeAsync()
    {
        await _embeddings.DisposeAsync().ConfigureAwait(false);
        await Engine.DisposeAsync().ConfigureAwait(false);
    }
}
