namespace Orchestrator.Inference.Gguf;

/// <summary>Where a tensor lies in a file and what it is; never its weights.</summary>
/// <param name="Name">Such as <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Dimensions">One to four extents in ggml's order: the first is the row length, the fastest-varying one.</param>
/// <param name="Type">How the elements are stored.</param>
/// <param name="Offset">Bytes from the start of the file's data section.</param>
public sealed record GgufTensor(string Name, IReadOnlyList<long> Dimensions, GgmlType Type, long Offset)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Dimensions.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Bytes that the tensor takes, without padding.</summary>
    public long Bytes => Elements / Type.BlockElements() * Type.BlockBytes();

    /// <summary>The extents as people write them, such as <c>[576, 49152]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Dimensions)}]";
}
