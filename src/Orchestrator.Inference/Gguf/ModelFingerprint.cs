using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Tells models apart by their content without reading all of it: each file's length, and 64 samples of 4 KiB spread
/// over it. Another fine-tuning of the same shape differs in nearly every block of weights.
/// </summary>
internal static class ModelFingerprint
{
    private const int Samples = 64;
    private const int SampleSize = 4096;

    /// <summary>The fingerprint of a model's files.</summary>
    /// <param name="model">Its header.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    internal static string Of(GgufModel model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in model.Parts)
        {
            AppendFile(hash, part.Path);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds a file's length and samples to a hash.</summary>
    internal static void AppendFile(IncrementalHash hash, string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        Span<byte> buffer = stackalloc byte[SampleSize];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, length);
        hash.AppendData(buffer[..sizeof(long)]);
        for (var i = 0; i < Samples; i++)
        {
            var read = RandomAccess.Read(file, buffer, Math.Max(0, length - SampleSize) * i / (Samples - 1));
            hash.AppendData(buffer[..read]);
        }
    }
}
