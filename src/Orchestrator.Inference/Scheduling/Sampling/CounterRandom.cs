namespace Orchestrator.Inference.Scheduling.Sampling;

/// <summary>
/// Random numbers by position in place of state (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
/// 2011), here by the finaliser of SplitMix64: the n-th draw of a seed is the same whatever else was drawn, so a
/// request's tokens don't depend on the schedule.
/// </summary>
internal static class CounterRandom
{
    /// <summary>A number from 0, inclusive, to 1, exclusive.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="index">Which draw.</param>
    public static double NextDouble(ulong seed, ulong index) =>
        (Mix(Mix(seed + 0x9E3779B97F4A7C15UL) + ((index + 1) * 0x9E3779B97F4A7C15UL)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
