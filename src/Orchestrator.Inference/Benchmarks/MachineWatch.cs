namespace Orchestrator.Inference.Benchmarks;

/// <summary>
/// Keeps what the machine gave around each measurement. Where it drifted meanwhile, the figures say more about the
/// machine's other work than about what was measured.
/// </summary>
/// <param name="read">Measures the machine.</param>
internal sealed class MachineWatch(Func<MachineReading> read)
{
    /// <summary>The most drift with which figures are trusted.</summary>
    public const double MostDrift = 1.25;

    private readonly List<MachineReading> _readings = [];

    /// <summary>All readings so far.</summary>
    public IReadOnlyList<MachineReading> Readings => _readings;

    /// <summary>Takes a reading.</summary>
    /// <returns>Its number, for <see cref="DriftSince"/>.</returns>
    public int Take()
    {
        _readings.Add(read());
        return _readings.Count - 1;
    }

    /// <summary>The drift from a reading on.</summary>
    /// <param name="first">The reading's number.</param>
    public double DriftSince(int first) => MachineReading.Drift(_readings[first..]);

    /// <summary>
    /// Measures each of some cells, and those that can't be trusted again after all the others, when what disturbed them
    /// may be over.
    /// </summary>
    /// <param name="cells">The cells.</param>
    /// <param name="attempts">How often a cell is measured at most; at least 1.</param>
    /// <param name="measure">Measures a cell; told which attempt it is, from 1.</param>
    /// <param name="drift">How far the machine drifted during a measurement.</param>
    /// <returns>For each cell, in order, its steadiest measurement and the number of attempts.</returns>
    public static async Task<IReadOnlyList<(TResult Result, int Attempts)>> MeasureAsync<TCell, TResult>(
        IReadOnlyList<TCell> cells, int attempts, Func<TCell, int, Task<TResult>> measure, Func<TResult, double> drift)
    {
        var results = new (TResult Result, int Attempts)[cells.Count];
        var waiting = Enumerable.Range(0, cells.Count).ToList();
        for (var attempt = 1; attempt <= attempts && waiting.Count > 0; attempt++)
        {
            foreach (var cell in waiting)
            {
                var result = await measure(cells[cell], attempt).ConfigureAwait(false);
                var steadier = attempt == 1 || drift(result) < drift(results[cell].Result);
                results[cell] = (steadier ? result : results[cell].Result, attempt);
            }

            waiting.RemoveAll(cell => drift(results[cell].Result) <= MostDrift);
        }

        return results;
    }
}
