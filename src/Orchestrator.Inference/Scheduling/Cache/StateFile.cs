using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// A sequence and its state in a file. Little-endian: magic with the version (8 bytes), number of tokens (4), the tokens
/// (4 each), SHA-256 of all that (32), and the driver's state, which carries a checksum of its own.
/// </summary>
internal static class StateFile
{
    private const int MaxTokens = 1 << 24;

    private static ReadOnlySpan<byte> Magic => "OCHKVS01"u8;

    /// <summary>Writes a sequence.</summary>
    /// <returns>The file's length.</returns>
    public static long Write(Stream stream, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> state)
    {
        var header = new byte[Magic.Length + 4 + (tokens.Length * 4)];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length), tokens.Length);
        MemoryMarshal.AsBytes(tokens).CopyTo(header.AsSpan(Magic.Length + 4));
        stream.Write(header);
        stream.Write(SHA256.HashData(header));
        stream.Write(state);
        stream.Flush();
        return header.Length + SHA256.HashSizeInBytes + state.Length;
    }

    /// <summary>Reads the tokens, and leaves the stream before the state.</summary>
    /// <exception cref="InvalidDataException">It is damaged, cut short, of another version, or no such file.</exception>
    public static int[] ReadTokens(Stream stream)
    {
        var start = Exactly(stream, Magic.Length + 4);
        var count = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(Magic.Length));
        if (!start.AsSpan(0, Magic.Length).SequenceEqual(Magic) || count is < 1 or > MaxTokens)
        {
            throw new InvalidDataException("it is no saved sequence of this version");
        }

        var body = Exactly(stream, count * 4);
        if (!SHA256.HashData([.. start, .. body]).AsSpan().SequenceEqual(Exactly(stream, SHA256.HashSizeInBytes)))
        {
            throw new InvalidDataException("its tokens are damaged");
        }

        return MemoryMarshal.Cast<byte, int>(body).ToArray();
    }

    /// <summary>Reads the state after the tokens.</summary>
    public static byte[] ReadState(Stream stream) => Exactly(stream, checked((int)(stream.Length - stream.Position)));

    private static byte[] Exactly(Stream stream, int count)
    {
        // Not more than there is: a damaged length must not take memory.
        if (stream.Length - stream.Position < count)
        {
            throw new InvalidDataException("it is cut short");
        }

        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
