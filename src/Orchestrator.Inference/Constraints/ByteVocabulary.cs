namespace Orchestrator.Inference.Constraints;

/// <summary>A vocabulary of the 256 bytes and an end (id 256), for matching texts where no model is at hand.</summary>
public sealed class ByteVocabulary : ITokenVocabulary
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

    /// <inheritdoc/>
    public int Size => 257;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int token) => token < 256 ? Bytes.AsSpan(token, 1) : [];

    /// <inheritdoc/>
    public bool IsSpecial(int token) => token == 256;

    /// <inheritdoc/>
    public bool IsEndOfGeneration(int token) => token == 256;
}
