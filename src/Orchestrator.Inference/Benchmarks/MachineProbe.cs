using System.Numerics;
using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>What the machine gave at one moment.</summary>
/// <param name="ReadGigabytes">Gigabytes of memory read a second, all threads together.</param>
/// <param name="MultiplyGigaflops">Billions of multiplications and additions of 32-bit floats a second.</param>
public readonly record struct MachineReading(double ReadGigabytes, double MultiplyGigaflops)
{
    /// <summary>The largest over the smallest of what was read: 1 is a steady machine.</summary>
    /// <param name="readings">At least one.</param>
    public static double Drift(IReadOnlyCollection<MachineReading> readings) => Math.Max(
        readings.Max(r => r.ReadGigabytes) / readings.Min(r => r.ReadGigabytes),
        readings.Max(r => r.MultiplyGigaflops) / readings.Min(r => r.MultiplyGigaflops));
}

/// <summary>Measures how fast memory is read, and how fast it multiplies: the best of many short tries each.</summary>
internal sealed unsafe class MachineProbe(int threads, TimeProvider time)
{
    /// <summary>
    /// How long llama.cpp's threads spin on at most after their last batch. What is measured meanwhile shares the
    /// processors with them, as with another program.
    /// </summary>
    public static readonly TimeSpan Spinning = TimeSpan.FromMilliseconds(400);

    private const int Floats = 32 << 20;
    private const int Side = 512;
    private static readonly int Width = Side / Vector<float>.Count;
    private readonly Vector<float>[] _left = Matrix();
    private readonly Vector<float>[] _right = Matrix();
    private readonly float[] _product = new float[Side * Side];
    private bool _warm;

    /// <summary>Measures.</summary>
    public MachineReading Read()
    {
        // Far more than a cache, and given back at once: it shall not count as memory of what is measured next.
        var memory = (float*)NativeMemory.Alloc(Floats, sizeof(float));
        try
        {
            Each(Floats, (start, end) => new Span<float>(memory + start, end - start).Fill(0.5f));

            // The first calls run code that is not optimised yet.
            if (!_warm)
            {
                Measure(memory);
            }

            _warm = true;
            return Measure(memory);
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }

    private MachineReading Measure(float* memory) => new(
        Floats * sizeof(float) / 1e9 / Best(Floats, (start, end) => Sum(new ReadOnlySpan<float>(memory + start, end - start))),
        2.0 * Side * Side * Side / 1e9 / Best(Side / 2, (start, end) =>
        {
            for (var row = 2 * start; row < 2 * end; row += 2)
            {
                for (var column = 0; column < Side; column += 4)
                {
                    Multiply(row, column);
                }
            }
        }));

    private static float Sum(ReadOnlySpan<float> values)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var (a, b, c, d) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        for (var i = 0; i + 4 <= vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }

        return Vector.Sum(a + b + c + d);
    }

    /// <summary>Two rows by four columns at once, so that a number that was read is used several times.</summary>
    private void Multiply(int row, int column)
    {
        var top = _left.AsSpan(row * Width, Width);
        var bottom = _left.AsSpan((row + 1) * Width, Width);
        var w = _right.AsSpan(column * Width, Width);
        var x = _right.AsSpan((column + 1) * Width, Width);
        var y = _right.AsSpan((column + 2) * Width, Width);
        var z = _right.AsSpan((column + 3) * Width, Width);
        var (a, b, c, d) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        var (e, f, g, h) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        for (var i = 0; i < top.Length; i++)
        {
            a = Vector.FusedMultiplyAdd(top[i], w[i], a);
            b = Vector.FusedMultiplyAdd(top[i], x[i], b);
            c = Vector.FusedMultiplyAdd(top[i], y[i], c);
            d = Vector.FusedMultiplyAdd(top[i], z[i], d);
            e = Vector.FusedMultiplyAdd(bottom[i], w[i], e);
            f = Vector.FusedMultiplyAdd(bottom[i], x[i], f);
            g = Vector.FusedMultiplyAdd(bottom[i], y[i], g);
            h = Vector.FusedMultiplyAdd(bottom[i], z[i], h);
        }

        _product[(row * Side) + column] = Vector.Sum(a + b + c + d);
        _product[((row + 1) * Side) + column] = Vector.Sum(e + f + g + h);
    }

    private double Best(int count, Action<int, int> work)
    {
        var best = double.MaxValue;
        var first = time.GetTimestamp();
        while (best == double.MaxValue || time.GetElapsedTime(first) < Spinning)
        {
            var start = time.GetTimestamp();
            Each(count, work);
            best = Math.Min(best, time.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Gives each thread its part of a range.</summary>
    private void Each(int count, Action<int, int> work) => Parallel.For(
        0,
        threads,
        new ParallelOptions { MaxDegreeOfParallelism = threads },
        thread => work((int)((long)count * thread / threads), (int)((long)count * (thread + 1) / threads)));

    private static Vector<float>[] Matrix()
    {
        var matrix = new Vector<float>[Side * Width];
        Array.Fill(matrix, new Vector<float>(0.5f));
        return matrix;
    }
}
