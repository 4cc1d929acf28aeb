namespace Orchestrator.Inference.Drivers;

/// <summary>How a model is opened by llama.cpp.</summary>
public sealed record LlamaDriverOptions
{
    /// <summary>The GGUF file; of a split model, its first part.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Cells of the KV cache, shared by all sequences; 0 takes what the model was trained for.</summary>
    public int ContextSize { get; init; } = 4096;

    /// <summary>The most tokens a batch may have; at least <see cref="MaxSequences"/>.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>Tokens computed at once within a batch; 0 is the batch size.</summary>
    public int MicroBatchSize { get; init; }

    /// <summary>
    /// How many sequences, 1 to 256. The library keeps room for the logits of each: 4 bytes × vocabulary × this.
    /// </summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Compute threads; 0 is one for each physical core.</summary>
    public int Threads { get; init; }

    /// <summary>Layers computed on a GPU where there is one; −1 is all.</summary>
    public int GpuLayers { get; init; } = -1;

    /// <summary>How the KV cache is kept.</summary>
    public KvCacheType KvCache { get; init; } = KvCacheType.Float16;

    /// <summary>Whether to give embeddings; every token of a batch is then output.</summary>
    public bool Embeddings { get; init; }

    /// <summary>
    /// Whether a load that needs more memory than is available is refused. Turn off only where the estimate is known
    /// to be wrong.
    /// </summary>
    public bool CheckMemory { get; init; } = true;
}

/// <summary>The element type of the KV cache.</summary>
public enum KvCacheType
{
    /// <summary>16-bit floating point: 2 bytes an element.</summary>
    Float16,

    /// <summary>8-bit blocks: 1.06 bytes an element, a small loss; needs flash attention.</summary>
    Int8,

    /// <summary>32-bit floating point.</summary>
    Float32,
}
