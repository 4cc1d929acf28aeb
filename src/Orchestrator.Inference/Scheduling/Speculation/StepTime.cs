namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// How long a batch takes by its number of tokens. The pace follows every step, so that load, threads and the growth
/// of the context show at once. What larger batches cost beside a single token is the machine's and the model's own, and
/// is learnt slowly; until then it is what is common on CPUs.
/// </summary>
internal sealed class StepTime
{
    /// <summary>Larger batches are not told apart.</summary>
    public const int Largest = 64;

    private const double PaceGain = 0.2;
    private const double LeastGain = 0.05;
    private const double Fading = 0.999;
    private const double PriorWeight = 0.5;

    // A step that something else held up is not the machine's ordinary pace.
    private const double MostSurprise = 0.7;

    /// <summary>Batch sizes, and the times of such batches in units of a single token's; linear between them.</summary>
    private static readonly (int Size, double Time)[] Shape =
        [(1, 1), (2, 1.95), (4, 2.45), (8, 3.5), (16, 5.35), (32, 9), (64, 17)];

    private readonly Func<int, double>? _given;
    private readonly double[] _deviations = new double[Largest + 1];
    private readonly double[] _visits = new double[Largest + 1];
    private double _pace;

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
        if (_given is not null || size > Largest || seconds <= 0)
        {
            return;
        }

        if (!Measured)
        {
            Measured = true;
            _pace = Math.Log(seconds / ShapeAt(size));
            return;
        }

        var surprise = Math.Clamp(Math.Log(seconds / Of(size)), -MostSurprise, MostSurprise);
        if (size == 1)
        {
            _pace += PaceGain * surprise;
            return;
        }

        // Which of the two it tells is not known: mostly the size where that is new, and the pace in the long run.
        for (var i = 2; i <= Largest; i++)
        {
            _visits[i] *= Fading;
        }

        _visits[size]++;
        _deviations[size] += Math.Max(LeastGain, 1 / (_visits[size] + 1)) * surprise;
        _pace += LeastGain * surprise;
    }

    /// <summary>The time of a batch, in seconds, or in units of a single token's while nothing was measured.</summary>
    /// <param name="size">Its tokens, 1 to <see cref="Largest"/>.</param>
    public double Of(int size) => _given is not null ? _given(size) : Math.Exp(_pace + Deviation(size)) * ShapeAt(size);

    /// <summary>How far a size is off the common shape, by what was measured of it and of those beside it.</summary>
    private double Deviation(int size)
    {
        if (size == 1)
        {
            return 0;
        }

        var (sum, weight) = (0.0, PriorWeight);
        for (var i = 2; i <= Largest; i++)
        {
            if (_visits[i] > 0.1)
            {
                var near = _visits[i] * Math.Exp(-4 * Math.Abs(Math.Log2((double)i / size)));
                sum += near * _deviations[i];
                weight += near;
            }
        }

        return sum / weight;
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
