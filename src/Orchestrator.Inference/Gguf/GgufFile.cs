namespace Orchestrator.Inference.Gguf;

/// <summary>What one GGUF file says about itself: everything but the weights.</summary>
/// <param name="Path">The file's path, or the name of the stream that it was read from.</param>
/// <param name="Length">The file's length in bytes.</param>
/// <param name="Version">The format's version, 2 or 3.</param>
/// <param name="Metadata">Keys and values.</param>
/// <param name="Tensors">The tensors in the file's order.</param>
/// <param name="Alignment">Tensors start at multiples of this many bytes in the data section.</param>
/// <param name="DataOffset">Where the data section begins, in bytes from the file's start.</param>
public sealed record GgufFile(
    string Path,
    long Length,
    uint Version,
    GgufMetadata Metadata,
    IReadOnlyList<GgufTensor> Tensors,
    long Alignment,
    long DataOffset)
{
    /// <summary>The alignment of files that name none.</summary>
    public const long DefaultAlignment = 32;

    /// <summary>The next multiple of an alignment.</summary>
    /// <param name="offset">Bytes, not negative.</param>
    /// <param name="alignment">A power of two.</param>
    internal static long Align(long offset, long alignment) => checked(offset + alignment - 1) & -alignment;
}

/// <summary>A model: one GGUF file, or all parts of a split one in order.</summary>
/// <param name="Parts">At least one file. The first part's metadata describes the model.</param>
public sealed record GgufModel(IReadOnlyList<GgufFile> Parts)
{
    /// <summary>The path of the first part, which is the one to load.</summary>
    public string Path => Parts[0].Path;

    /// <summary>The model's keys and values.</summary>
    public GgufMetadata Metadata => Parts[0].Metadata;

    /// <summary>All parts' tensors.</summary>
    public IEnumerable<GgufTensor> Tensors => Parts.SelectMany(part => part.Tensors);

    /// <summary>All parts' lengths together, in bytes.</summary>
    public long Length => Parts.Sum(part => part.Length);

    /// <summary>The architecture's name, such as <c>llama</c>; empty where the file has none.</summary>
    public string Architecture => Metadata.Text("general.architecture") ?? "";
}
