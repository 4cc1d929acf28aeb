using System.Diagnostics;
using System.Numerics.Tensors;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// What the machine gives at this moment: how fast memory is read, and how fast it multiplies. A run during which they
/// drift says more about the neighbours than about the contenders.
/// </summary>
internal sealed class Probes(int threads)
{
    private const int Floats = 32 << 20;
    private const int Side = 512;
    private readonly float[] _memory = GC.AllocateUninitializedArray<float>(Floats);
    private readonly float[] _left = Fill(Side * Side);
    private readonly float[] _right = Fill(Side * Side);
    private readonly float[] _product = new float[Side * Side];

    /// <summary>Gigabytes read a second, the best of each measurement.</summary>
    public List<double> Read { get; } = [];

    /// <summary>Billions of multiplications and additions a second, the best of each measurement.</summary>
    public List<double> Multiply { get; } = [];

    /// <summary>The largest over the smallest of what was measured: 1 is a steady machine.</summary>
    public double Drift => Math.Max(Read.Max() / Read.Min(), Multiply.Max() / Multiply.Min());

    /// <summary>Measures.</summary>
    public void Take()
    {
        if (Read.Count == 0)
        {
            // The first calls run code that is not optimised yet.
            for (var i = 0; i < 20; i++)
            {
                Measure();
            }

            Read.Clear();
            Multiply.Clear();
        }

        Measure();
    }

    private void Measure()
    {
        Read.Add(Floats * sizeof(float) / 1e9 / Best(thread =>
        {
            var part = Floats / threads;
            _ = TensorPrimitives.Sum(_memory.AsSpan(thread * part, part));
        }));
        Multiply.Add(2.0 * Side * Side * Side / 1e9 / Best(thread =>
        {
            var part = Side / threads;
            for (var row = thread * part; row < (thread + 1) * part; row++)
            {
                for (var column = 0; column < Side; column++)
                {
                    _product[(row * Side) + column] = TensorPrimitives.Dot(_left.AsSpan(row * Side, Side), _right.AsSpan(column * Side, Side));
                }
            }
        }));
    }

    private double Best(Action<int> work)
    {
        var best = double.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var clock = Stopwatch.StartNew();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, work);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }

        return best;
    }

    private static float[] Fill(int count)
    {
        var values = new float[count];
        Array.Fill(values, 0.5f);
        return values;
    }
}
