using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>
/// Normally distributed weights from a seed, the same on every machine: SplitMix64 (Steele et al., OOPSLA 2014)
/// and the polar method (Marsaglia and Bray 1964).
/// </summary>
internal sealed class RandomWeights(ulong seed)
{
    private const int BlockElements = 32;
    private const int BlockBytes = 34;

    /// <summary>Large matrices repeat this many quantised blocks from changing starts, which is much faster than fresh ones.</summary>
    private const int PoolBlocks = 1 << 15;

    private ulong _state = seed;
    private double? _spare;
    private byte[]? _pool;

    /// <summary>Normal numbers with a standard deviation.</summary>
    internal float[] Normal(long count, double deviation)
    {
        var numbers = new float[count];
        for (var i = 0L; i < count; i++)
        {
            numbers[i] = (float)(Next() * deviation);
        }

        return numbers;
    }

    /// <summary>Writes a matrix's elements in its type.</summary>
    internal void Write(Stream stream, GgmlType type, long count, double deviation)
    {
        if (type == GgmlType.F32)
        {
            stream.Write(MemoryMarshal.AsBytes(Normal(count, deviation).AsSpan()));
            return;
        }

        var pool = _pool ??= UnitBlocks();
        var scale = (Half)(deviation * 4 / 127);
        for (var b = 0; b < PoolBlocks; b++)
        {
            BinaryPrimitives.WriteHalfLittleEndian(pool.AsSpan(b * BlockBytes), scale);
        }

        for (var rest = count / BlockElements; rest > 0;)
        {
            var start = (int)(Bits() % PoolBlocks);
            var blocks = (int)Math.Min(rest, PoolBlocks - start);
            stream.Write(pool, start * BlockBytes, blocks * BlockBytes);
            rest -= blocks;
        }
    }

    /// <summary>Q8_0 blocks whose elements have a deviation of 127/4 units, so that four deviations fit.</summary>
    private byte[] UnitBlocks()
    {
        var pool = new byte[PoolBlocks * BlockBytes];
        for (var i = 0; i < pool.Length; i++)
        {
            pool[i] = (byte)(sbyte)Math.Clamp(Math.Round(Next() * 127 / 4), -127, 127);
        }

        return pool;
    }

    private double Next()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }

        while (true)
        {
            var x = Uniform();
            var y = Uniform();
            var square = (x * x) + (y * y);
            if (square is > 0 and < 1)
            {
                var factor = Math.Sqrt(-2 * Math.Log(square) / square);
                _spare = y * factor;
                return x * factor;
            }
        }
    }

    private double Uniform() => ((Bits() >> 11) * (2.0 / (1L << 53))) - 1;

    private ulong Bits()
    {
        var z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
