namespace Orchestrator.Inference.Store;

/// <summary>A model that the store knows on this machine.</summary>
/// <param name="Name">The name to use it by.</param>
/// <param name="Path">Its file's absolute path; of a split model, the first part's.</param>
/// <param name="Files">All files, each with what was recorded of it.</param>
/// <param name="Source">Where it came from, or null for a file that was added.</param>
/// <param name="Added">When it was pulled or added.</param>
public sealed record ModelRecord(string Name, string Path, IReadOnlyList<StoredFile> Files, string? Source, DateTimeOffset Added)
{
    /// <summary>What it is an adapter of; null for a model.</summary>
    public AdapterInfo? Adapter { get; init; }

    /// <summary>Size of all files in bytes.</summary>
    public long Bytes => Files.Sum(file => file.Bytes);

    /// <summary>Whether the files are still there.</summary>
    public bool Exists => Files.All(file => File.Exists(file.Path));
}

/// <summary>One file of a model.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Bytes">Its size when it was recorded.</param>
/// <param name="Sha256">Its SHA-256 when it was recorded, in lower-case hexadecimal.</param>
public sealed record StoredFile(string Path, long Bytes, string Sha256);
