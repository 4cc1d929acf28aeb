namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// How long a batch takes by its number of tokens: measured, and where too little was measured, by the shape that is
/// common on CPUs, scaled to what was. What was measured fades, so that load, threads and the growth of the context
/// show, and sizes that once looked dear are tried again.
/// </summary>
internal sealed class StepTime
{
    /// <summary>Larger batches are not told apart.</summary>
    public const int Largest = 64;

    private const double Fading = 0.98;
    private const double PriorWeight = 0.5;

    /// <summary>Batch sizes, and the times of such batches in units of a single token's; linear between them.</summary>
    private static readonly (int Size, double Time)[] Shape =
        [(1, 1), (2, 1.95), (4, 2.45), (8, 3.5), (16, 5.35), (32, 9), (64, 17)];

    private readonly Func<int, double>? _given;
    private readonly double[] _times = new double[Largest + 1];
    private readonly double[] _weights = new double[Largest + 1];

    /// <summary>Creates it without measurements.</summary>
    /// <param name="given">The times, where they are known; null to measure.</param>
    public StepTime(Func<int, double>? given) => _given = given;

    /// <summary>Whether anything was measured.</summary>
    public bool Measured { get; private set; }

    /// <summary>Notes how long a batch took.</summary>
    /// <param name="size">Its tokens, at least 1.</param>
    /// <param name="seconds">The time; 0 where the clock stood still, which says nothing.</param>
    public void Record(int size, double seconds)
    {
        if (size > Largest || seconds <= 0)
        {
            return;
        }

        for (var i = 1; i <= Largest; i++)
        {
            _weights[i] *= Fading;
        }

        Measured = true;

        // A step that something else held up is not the machine's ordinary pace.
        var expected = _weights[size] > 2 ? Of(size) : seconds;
        var time = Math.Clamp(seconds, expected / 2, expected * 2);
        _weights[size]++;
        _times[size] += (time - _times[size]) / Math.Max(1, _weights[size]);
    }

    /// <summary>The time of a batch, in seconds, or in units of a single token's while nothing was measured.</summary>
    /// <param name="size">Its tokens, 1 to <see cref="Largest"/>.</param>
    public double Of(int size)
    {
        if (_given is not null)
        {
            return _given(size);
        }

        var (time, shape) = (0.0, 0.0);
        for (var i = 1; i <= Largest; i++)
        {
            if (_weights[i] > 0)
            {
                time += _weights[i] * _times[i];
                shape += _weights[i] * ShapeAt(i);
            }
        }

        var prior = ShapeAt(size) * (shape > 0 ? time / shape : 1);
        return ((_weights[size] * _times[size]) + (PriorWeight * prior)) / (_weights[size] + PriorWeight);
    }

    private static double ShapeAt(int size)
    {
        var i = 1;
        while (Shape[i].Size < size)
        {
            i++;
        }

        var (low, high) = (Shape[i - 1], Shape[i]);
        return low.Time + ((high.Time - low.Time) * (size - low.Size) / (high.Size - low.Size));
    }
}
