using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Hosting;

/// <summary>A model in memory, with all that serves it.</summary>
public sealed class LoadedModel : IAsyncDisposable
{
    private LoadedModel(
        ModelCard? card,
        IInferenceEngine engine,
        IConstraintCompiler constraints,
        ChatPromptRenderer prompts,
        IChoiceScorer scorer,
        LlamaChatClient chat,
        IEmbeddingGenerator<string, Embedding<float>>? embeddings)
    {
        Card = card;
        Engine = engine;
        Constraints = constraints;
        Prompts = prompts;
        Scorer = scorer;
        Chat = chat;
        Embeddings = embeddings;
    }

    /// <summary>Puts what serves a model on top of a driver.</summary>
    /// <param name="driver">The model; owned by the result from now on.</param>
    /// <param name="options">Defaults of calls, and how many may wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="embeddings">The model's embeddings, or null; disposed with the result where they can be.</param>
    /// <param name="card">What the model's file says, or null where there is none.</param>
    /// <param name="loggers">Where failures are told; null for nowhere.</param>
    /// <param name="adapters">Finds adapters by name; null where there are none.</param>
    /// <param name="draft">A small model of the same vocabulary that guesses ahead; null for none. Owned by the result too.</param>
    /// <param name="profile">What was measured to suit its decisions; null takes the defaults.</param>
    /// <returns>The model, ready to be asked.</returns>
    /// <exception cref="OrchestratorException">The draft model has another vocabulary, or its cache cannot be cut.</exception>
    /// <exception cref="ChatTemplateException">The model's chat template is broken.</exception>
    public static LoadedModel Create(
        IModelDriver driver,
        InferenceOptions options,
        TimeProvider time,
        IEmbeddingGenerator<string, Embedding<float>>? embeddings = null,
        ModelCard? card = null,
        ILoggerFactory? loggers = null,
        IAdapterSource? adapters = null,
        IModelDriver? draft = null,
        DecisionProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(driver);
        ArgumentNullException.ThrowIfNull(options);
        var engine = new InferenceEngine(
            driver,
            new InferenceEngineOptions
            {
                MaxRequests = options.MaxQueuedRequests,
                StateFolder = options.StateFolder,
                StateFolderBytes = options.StateFolderBytes,
                Speculation = new SpeculationOptions { PromptLookup = options.PromptLookup },
            },
            adapters is null ? null : adapters.Find,
            time,
            loggers?.CreateLogger<InferenceEngine>(),
            draft);
        var tokenizer = engine.Tokenizer;
        var variables = new JsonObject { ["eos_token"] = Text(tokenizer, tokenizer.EndOfText) };
        if (tokenizer.BeginOfText is { } begin)
        {
            variables["bos_token"] = Text(tokenizer, begin);
        }

        var template = ChatTemplate.Parse(engine.Model.ChatTemplate, variables, time: time);
        var toolCalls = ToolCallFormats.For(template.Source, tokenizer.SpecialTexts);
        var prompts = new ChatPromptRenderer(template, tokenizer.SpecialTexts, toolCalls);
        var promptTokens = new PromptTokenizer(tokenizer);
        var constraints = new ConstraintCompiler(tokenizer);
        var scorer = new ChoiceScorer(
            engine,
            messages => promptTokens.Tokenize(prompts.Render(messages, [], "")),
            engine.Model.ChatTemplate is null || !prompts.OpensTurns
                ? null
                : instruction => promptTokens.Tokenize(prompts.RenderOpening(instruction)),
            engine.Model.ChatTemplate is null
                ? null
                : (text, begun) => promptTokens.Tokenize(prompts.Render([new ChatMessage(ChatRole.User, text)], [], begun)),
            profile);
        var chat = new LlamaChatClient(engine, constraints, prompts, toolCalls, scorer, options, time, ReasoningFormat.Detect(template), adapters);
        return new LoadedModel(card, engine, constraints, prompts, scorer, chat, embeddings);
    }

    /// <summary>What the model's file says, or null where it came without one.</summary>
    public ModelCard? Card { get; }

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

    /// <summary>Its embeddings, or null; the model is opened for them when the first is asked for.</summary>
    public IEmbeddingGenerator<string, Embedding<float>>? Embeddings { get; }

    /// <summary>Frees the model's memory; requests under way fail.</summary>
    /// <returns>When it is free.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Embeddings is IAsyncDisposable embeddings)
        {
            await embeddings.DisposeAsync().ConfigureAwait(false);
        }

        await Engine.DisposeAsync().ConfigureAwait(false);
    }

    private static string Text(ITokenizer tokenizer, int token) =>
        tokenizer.SpecialTexts.FirstOrDefault(text => tokenizer.Tokenize(text, parseSpecial: true) is [var id] && id == token)
            ?? Encoding.UTF8.GetString(tokenizer.GetBytes(token));
}
