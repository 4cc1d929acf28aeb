using System.ComponentModel.DataAnnotations;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Scheduling;

/// <summary>How an engine schedules.</summary>
public sealed record InferenceEngineOptions
{
    /// <summary>Requests that may be unfinished at once, served and waiting; one more is refused. At least 1.</summary>
    [Range(1, int.MaxValue)]
    public int MaxRequests { get; init; } = 1024;

    /// <summary>Sequences worked on at once, at least 1; the driver's number of sequences bounds it too.</summary>
    [Range(1, 256)]
    public int MaxActive { get; init; } = 64;

    /// <summary>
    /// The most prompt tokens in a batch that also decodes, at least 1: what others' answers wait for a long prompt.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int PrefillChunk { get; init; } = 256;

    /// <summary>Waiting this long counts as much as one step of priority.</summary>
    public TimeSpan Aging { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The most steps that requests with other adapters wait for their turn, at least 1.</summary>
    [Range(1, int.MaxValue)]
    public int AdapterTurn { get; init; } = 16;

    /// <summary>
    /// Whether fewer threads compute while other programs need the processors too; otherwise the number stays fixed.
    /// </summary>
    public bool AdaptThreads { get; init; } = true;

    /// <summary>
    /// Bytes for the logits kept at the ends of prompts, so that asking the same again computes nothing. 0 keeps none.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long LogitsCacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of main memory for sequences evicted from the KV cache; 0 for none.</summary>
    [Range(0, long.MaxValue)]
    public long StateCacheBytes { get; init; } = 256L << 20;

    /// <summary>
    /// An absolute folder for sequences that were evicted or were in the cache at the end, so that the
    /// next engine of the same model starts warm; null for none. Each model has a folder of its own in it, which one
    /// engine uses at a time; others go without.
    /// </summary>
    public string? StateFolder { get; init; }

    /// <summary>The most bytes that <see cref="StateFolder"/> may hold of a model; the least recently used go first.</summary>
    [Range(0, long.MaxValue)]
    public long StateFolderBytes { get; init; } = 4L << 30;

    /// <summary>Whether and how tokens are guessed ahead; what is generated does not depend on it.</summary>
    public SpeculationOptions Speculation { get; init; } = new();
}
