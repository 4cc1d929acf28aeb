using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// One loaded model that serves many requests at once from one context: the scheduler, its KV tree and the driver
/// below them. Safe to call from any thread.
/// </summary>
public interface IInferenceEngine : IAsyncDisposable
{
    /// <summary>What the model is.</summary>
    DriverInfo Model { get; }

    /// <summary>Text to token ids and back.</summary>
    ITokenizer Tokenizer { get; }

    /// <summary>Generates tokens after a prompt.</summary>
    /// <param name="request">The prompt and how to go on from it.</param>
    /// <param name="cancellationToken">
    /// Returns to the caller at once; the request's cells are free at the scheduler's next step.
    /// </param>
    /// <returns>Tokens as they come; the last element carries the reason to stop and what the request cost.</returns>
    /// <exception cref="OrchestratorException">
    /// The prompt does not fit the context, the queue is full, or the deadline passed; the error says which and by how
    /// much.
    /// </exception>
    IAsyncEnumerable<GeneratedToken> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Log-likelihood of continuations, each after its own prefix, in as few batches as the context allows. Prefixes
    /// are found in, and kept in, the KV tree.
    /// </summary>
    /// <param name="request">The sequences to score.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One result for each sequence, in order.</returns>
    Task<ScoreResult> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default);

    /// <summary>Embeds texts, pooled as the model says (mean where it says nothing), normalised to length 1.</summary>
    /// <param name="inputs">Token ids of each text, at least one.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One vector for each input.</returns>
    Task<IReadOnlyList<float[]>> EmbedAsync(IReadOnlyList<int[]> inputs, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes an adapter out of memory, with what the cache holds of it. Requests that were let in with it are served to
    /// their end first; those that come later wait for that, and then find what the name stands for by then. Does nothing
    /// where the adapter is not loaded.
    /// </summary>
    /// <param name="name">The adapter's name.</param>
    /// <param name="cancellationToken">Stops waiting; the adapter goes all the same.</param>
    /// <returns>When it is gone.</returns>
    Task RemoveAdapterAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>What the engine has done from its start to the end of its last step.</summary>
    /// <returns>A consistent copy. It may lack the step that has just given the caller an answer.</returns>
    EngineStatistics GetStatistics();
}

/// <summary>A prompt and how to go on from it.</summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt's token ids; at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>The most tokens to generate, at least 1, forced and end tokens included.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>
    /// How many of the prompt's tokens other prompts are expected to begin with too, each 1 to all of them: up to where
    /// a transcript ends before a cue, or a message ends. A model whose cache can't be cut
    /// (<see cref="DriverInfo.CanCut"/>) keeps its state there, so that what goes on from there computes nothing again;
    /// each place ends a batch, and takes a sequence until the room is needed. Others need no telling.
    /// </summary>
    public IReadOnlyList<int> Checkpoints { get; init; } = [];

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>What the answer must match, or null.</summary>
    public ITokenConstraint? Constraint { get; init; }

    /// <summary>Who asks, with what adapters, priority and deadline.</summary>
    public ModelRequest Origin { get; init; } = new();
}

/// <summary>How tokens are chosen from the model's distribution.</summary>
public sealed record SamplingOptions
{
    /// <summary>0 is greedy; 1 is the model's own distribution. 0 to 10.</summary>
    public float Temperature { get; init; } = 0.7f;

    /// <summary>Keeps the smallest set of tokens whose probability reaches this. Over 0, to 1.</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Keeps this many tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps tokens at least this probable relative to the best. 0 to 1.</summary>
    public float MinP { get; init; }

    /// <summary>Subtracted for each time that a token was generated before (OpenAI). −2 to 2.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted once for a token that was generated before (OpenAI). −2 to 2.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>The seed; the same seed, prompt and batch history gives the same tokens.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many alternatives to report for each token, 0 to 20.</summary>
    public int TopLogProbabilities { get; init; }
}

/// <summary>Why a generation stopped.</summary>
public enum StopReason
{
    /// <summary>The model ended its answer, or the constraint allowed nothing but the end.</summary>
    EndOfAnswer,

    /// <summary>The most tokens were generated, or the context is full.</summary>
    Length,
}

/// <summary>One generated token.</summary>
/// <param name="Token">Its id; the end token is reported too.</param>
/// <param name="LogProbability">
/// Natural log under the model's own distribution (temperature 1, unconstrained); NaN where it was forced without
/// being evaluated.
/// </param>
/// <param name="Forced">Whether the constraint left no choice.</param>
/// <param name="Alternatives">The most probable tokens in its place, where asked for.</param>
/// <param name="Stop">On the last element: why it stopped.</param>
/// <param name="Cost">On the last element: what the request cost.</param>
public sealed record GeneratedToken(
    int Token,
    float LogProbability,
    bool Forced = false,
    IReadOnlyList<(int Token, float LogProbability)>? Alternatives = null,
    StopReason? Stop = null,
    GenerationCost? Cost = null);

/// <summary>What a generation cost.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="ComputedTokens">Prompt tokens that were computed.</param>
/// <param name="ReusedTokens">Prompt tokens found in the KV tree.</param>
/// <param name="ForcedTokens">Tokens appended without sampling.</param>
/// <param name="DraftTokens">Tokens accepted from drafts.</param>
/// <param name="FirstToken">From the request to its first token.</param>
/// <param name="Duration">From the request to its last token.</param>
public sealed record GenerationCost(
    int PromptTokens,
    int ComputedTokens,
    int ReusedTokens,
    int ForcedTokens,
    int DraftTokens,
    TimeSpan FirstToken,
    TimeSpan Duration)
{
    /// <summary>
    /// Tokens guessed ahead and computed to check them, the accepted ones included; not among
    /// <see cref="ComputedTokens"/>.
    /// </summary>
    public int DraftedTokens { get; init; }
}

/// <summary>Sequences to score.</summary>
public sealed record ScoreRequest
{
    /// <summary>Each sequence: a prefix, and the continuation whose likelihood is wanted; neither is empty.</summary>
    public required IReadOnlyList<ScoreSequence> Sequences { get; init; }

    /// <summary>Who asks, with what adapters.</summary>
    public ModelRequest Origin { get; init; } = new();
}

/// <summary>A continuation after a prefix.</summary>
/// <param name="Prefix">Token ids before it, at least one.</param>
/// <param name="Continuation">Token ids to score, at least one.</param>
public sealed record ScoreSequence(IReadOnlyList<int> Prefix, IReadOnlyList<int> Continuation);

/// <summary>The likelihoods of a <see cref="ScoreRequest"/>.</summary>
/// <param name="LogProbabilities">For each sequence, the natural log of each continuation token's probability.</param>
/// <param name="ComputedTokens">Tokens that were computed.</param>
/// <param name="ReusedTokens">Tokens found in the KV tree.</param>
public sealed record ScoreResult(IReadOnlyList<float[]> LogProbabilities, int ComputedTokens, int ReusedTokens);

/// <summary>What an engine has done since it started.</summary>
public sealed record EngineStatistics
{
    /// <summary>Prompt and scored tokens computed.</summary>
    public long ComputedTokens { get; init; }

    /// <summary>Prompt and scored tokens found in the KV tree.</summary>
    public long ReusedTokens { get; init; }

    /// <summary>Tokens generated, forced ones included.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Cells evicted from the KV tree.</summary>
    public long EvictedTokens { get; init; }

    /// <summary>Cells read back from main memory or disk.</summary>
    public long RestoredTokens { get; init; }

    /// <summary>Those of them that were read back from disk.</summary>
    public long DiskRestoredTokens { get; init; }

    /// <summary>Bytes of saved sequences on disk.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Cells in use now.</summary>
    public int CellsUsed { get; init; }

    /// <summary>Cells in all.</summary>
    public int CellsTotal { get; init; }

    /// <summary>Requests being served.</summary>
    public int ActiveRequests { get; init; }

    /// <summary>Requests waiting.</summary>
    public int QueuedRequests { get; init; }

    /// <summary>Tokens that constraints forced, appended without sampling; among the generated ones.</summary>
    public long ForcedTokens { get; init; }

    /// <summary>Tokens guessed ahead and computed to check them; not among the computed ones.</summary>
    public long DraftedTokens { get; init; }

    /// <summary>Those of <see cref="DraftedTokens"/> that were right; among the generated ones.</summary>
    public long DraftTokens { get; init; }

    /// <summary>Batches computed.</summary>
    public long Steps { get; init; }

    /// <summary>Times that a request gave way to others because the cache was full.</summary>
    public long Preemptions { get; init; }

    /// <summary>Times that the adapters changed.</summary>
    public long AdapterSwitches { get; init; }

    /// <summary>Adapters in memory now.</summary>
    public int AdaptersLoaded { get; init; }

    /// <summary>What was done for each agent that gave its name.</summary>
    public IReadOnlyDictionary<string, AgentStatistics> Agents { get; init; } =
        System.Collections.Immutable.ImmutableDictionary<string, AgentStatistics>.Empty;
}

/// <summary>What an engine has done for one agent.</summary>
public sealed record AgentStatistics
{
    /// <summary>Prompt and scored tokens computed.</summary>
    public long ComputedTokens { get; init; }

    /// <summary>Prompt and scored tokens found in the KV tree.</summary>
    public long ReusedTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Cells evicted that a request of this agent was the last to work on.</summary>
    public long EvictedTokens { get; init; }
}
