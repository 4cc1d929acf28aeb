namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// Adapts the compute threads to a machine that others use too. The threads of a graph wait for one another, spinning,
/// after every operation; where one of them has to share its core, all of them stand still, and fewer threads are many
/// times faster. The sign is that the calling thread, which never sleeps in a decode, did not get its core all the time.
/// </summary>
internal sealed class ThreadGovernor
{
    /// <summary>Below this share of its core a thread is crowded.</summary>
    private const double Crowded = 0.85;

    /// <summary>Shorter measurements say little: a scheduler's time slice is a few milliseconds.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private readonly int _most;
    private TimeSpan _wall;
    private TimeSpan _processor;
    private TimeSpan _sinceChange;
    private TimeSpan _wait = FirstWait;
    private bool _trying;

    /// <summary>Creates it.</summary>
    /// <param name="most">The threads on a free machine.</param>
    public ThreadGovernor(int most) => Threads = _most = most;

    /// <summary>The threads to use next.</summary>
    public int Threads { get; private set; }

    /// <summary>Takes note of a decode.</summary>
    /// <param name="wall">How long it took.</param>
    /// <param name="processor">The processor time that the calling thread got meanwhile.</param>
    /// <returns>Whether <see cref="Threads"/> changed.</returns>
    public bool Note(TimeSpan wall, TimeSpan processor)
    {
        _wall += wall;
        _processor += processor;
        _sinceChange += wall;
        if (_wall < Window)
        {
            return false;
        }

        var crowded = _processor < _wall * Crowded;
        _wall = _processor = TimeSpan.Zero;
        if (crowded && Threads > 1)
        {
            // A try that failed is repeated less and less often.
            _wait = _trying ? Min(_wait * 2, LongestWait) : FirstWait;
            return Change(Threads / 2, trying: false);
        }

        if (!crowded)
        {
            if (_trying)
            {
                _trying = false;
                _wait = FirstWait;
            }

            return Threads < _most && _sinceChange >= _wait && Change(Math.Min(_most, Threads * 2), trying: true);
        }

        return false;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private bool Change(int threads, bool trying)
    {
        Threads = threads;
        _trying = trying;
        _sinceChange = TimeSpan.Zero;
        return true;
    }
}
