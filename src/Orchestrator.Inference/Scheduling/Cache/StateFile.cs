using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// A sequence and its state in a file. Little-endian: magic with the version (8 bytes), number of tokens (4), the tokens
/// (4 each), length of the adapters (4), the adapters (JSON), SHA-256 of all that (32), and the driver's state, which
/// carries a checksum of its own.
/// </summary>
internal static class StateFile
{
    private const int MaxTokens = 1 << 24;
    private const int MaxAdapters = 1 << 16;

    private static ReadOnlySpan<byte> Magic => "OCHKVS02"u8;

    /// <summary>Writes a sequence.</summary>
    /// <returns>The file's length.</returns>
    public static long Write(Stream stream, AdapterPlan plan, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> state)
    {
        var adapters = JsonSerializer.SerializeToUtf8Bytes(new Adapters(plan.Before.Adapters, plan.After.Adapters, plan.Start));
        var header = new byte[Magic.Length + 4 + (tokens.Length * 4) + 4 + adapters.Length];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length), tokens.Length);
        MemoryMarshal.AsBytes(tokens).CopyTo(header.AsSpan(Magic.Length + 4));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(header.Length - adapters.Length - 4), adapters.Length);
        adapters.CopyTo(header.AsSpan(header.Length - adapters.Length));
        stream.Write(header);
        stream.Write(SHA256.HashData(header));
        stream.Write(state);
        stream.Flush();
        return header.Length + SHA256.HashSizeInBytes + state.Length;
    }

    /// <summary>Reads what the sequence is, and leaves the stream before the state.</summary>
    /// <returns>The adapters by their content, and the tokens.</returns>
    /// <exception cref="InvalidDataException">It is damaged, cut short, of another version, or no such file.</exception>
    public static (AdapterPlan Plan, int[] Tokens) ReadHeader(Stream stream)
    {
        var start = Exactly(stream, Magic.Length + 4);
        var count = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(Magic.Length));
        if (!start.AsSpan(0, Magic.Length).SequenceEqual(Magic) || count is < 1 or > MaxTokens)
        {
            throw new InvalidDataException("it is no saved sequence of this version");
        }

        var body = Exactly(stream, (count * 4) + 4);
        var length = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(count * 4));
        var adapters = Exactly(stream, length is >= 0 and <= MaxAdapters ? length : throw new InvalidDataException("its adapters are damaged"));
        if (!SHA256.HashData([.. start, .. body, .. adapters]).AsSpan().SequenceEqual(Exactly(stream, SHA256.HashSizeInBytes)))
        {
            throw new InvalidDataException("its tokens are damaged");
        }

        var plan = JsonSerializer.Deserialize<Adapters>(adapters)!;
        return (
            AdapterPlan.From(AdapterSet.From(plan.Before), AdapterSet.From(plan.After), plan.Start),
            MemoryMarshal.Cast<byte, int>(body.AsSpan(0, count * 4)).ToArray());
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

    private sealed record Adapters(IReadOnlyList<AdapterUse> Before, IReadOnlyList<AdapterUse> After, int Start);
}
