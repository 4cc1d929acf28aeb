using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// The envelope of a saved sequence: what model it is of, how long it is, and a checksum, because the library hangs on
/// a damaged state. Little-endian: magic (8 bytes), model fingerprint (8), sequence length (4), reserved (4), payload
/// length (8), checksum (16), payload.
/// </summary>
internal static class SequenceState
{
    public const int HeaderSize = 48;

    private const ulong Magic = 0x3130_4551_5348_434F; // "OCHSQE01"

    /// <summary>Fills in the header in front of a payload.</summary>
    public static void Seal(Span<byte> state, ulong model, int length)
    {
        var payload = state[HeaderSize..];
        BinaryPrimitives.WriteUInt64LittleEndian(state, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(state[8..], model);
        BinaryPrimitives.WriteInt32LittleEndian(state[16..], length);
        BinaryPrimitives.WriteInt32LittleEndian(state[20..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(state[24..], payload.Length);
        Checksum(state[..32], payload, state[32..HeaderSize]);
    }

    /// <summary>Checks the envelope.</summary>
    /// <returns>The payload and the sequence's length.</returns>
    /// <exception cref="InvalidDataException">Damaged, or of another model.</exception>
    public static ReadOnlySpan<byte> Open(ReadOnlySpan<byte> state, ulong model, out int length)
    {
        if (state.Length < HeaderSize
            || BinaryPrimitives.ReadUInt64LittleEndian(state) != Magic
            || BinaryPrimitives.ReadInt64LittleEndian(state[24..]) != state.Length - HeaderSize)
        {
            throw new InvalidDataException("This is not a saved sequence, or it is cut short.");
        }

        Span<byte> checksum = stackalloc byte[16];
        Checksum(state[..32], state[HeaderSize..], checksum);
        if (!checksum.SequenceEqual(state[32..HeaderSize]))
        {
            throw new InvalidDataException("The saved sequence is damaged: its checksum does not match.");
        }

        if (BinaryPrimitives.ReadUInt64LittleEndian(state[8..]) != model)
        {
            throw new InvalidDataException("The saved sequence is of another model or another kind of cache.");
        }

        length = BinaryPrimitives.ReadInt32LittleEndian(state[16..]);
        return state[HeaderSize..];
    }

    /// <summary>
    /// Four CRC-32C (RFC 3720, B.4) over interleaved 8-byte words: one instruction a word, four at a time, so that 50 MB
    /// cost a few milliseconds. It finds damage, not forgery.
    /// </summary>
    private static void Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        uint a = 0xFFFF_FFFF, b = 0xFFFF_FFFE, c = 0xFFFF_FFFD, d = 0xFFFF_FFFC;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(header))
        {
            a = BitOperations.Crc32C(a, word);
        }

        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        var index = 0;
        for (; index + 4 <= words.Length; index += 4)
        {
            a = BitOperations.Crc32C(a, words[index]);
            b = BitOperations.Crc32C(b, words[index + 1]);
            c = BitOperations.Crc32C(c, words[index + 2]);
            d = BitOperations.Crc32C(d, words[index + 3]);
        }

        foreach (var value in payload[(index * 8)..])
        {
            d = BitOperations.Crc32C(d, value);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(destination, a);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], b);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], c);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], d);
    }
}
