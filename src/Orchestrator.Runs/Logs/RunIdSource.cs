using System.Globalization;
using System.Security.Cryptography;

namespace Orchestrator.Runs.Logs;

/// <summary>Gives runs their ids: the time in UTC, then six random hexadecimal digits, so that ids sort by time.</summary>
public sealed class RunIdSource
{
    private readonly TimeProvider _clock;
    private readonly Func<uint> _random;

    /// <summary>Creates a source.</summary>
    /// <param name="clock">Tells the time.</param>
    /// <param name="random">Gives random bits, 24 of which are used; null takes the system's.</param>
    public RunIdSource(TimeProvider clock, Func<uint>? random = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _random = random ?? SystemRandom;
    }

    /// <summary>Makes an id.</summary>
    /// <returns>The id, e.g. <c>20260131-235959-123-0a1b2c</c>.</returns>
    public string Next() => string.Create(
        CultureInfo.InvariantCulture, $"{_clock.GetUtcNow():yyyyMMdd-HHmmss-fff}-{_random() & 0xFFFFFF:x6}");

    private static uint SystemRandom()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt32(bytes);
    }
}
