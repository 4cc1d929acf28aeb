using System.Runtime.InteropServices;

/// <summary>The processor time of the current thread, for measuring on a busy machine (Linux).</summary>
internal sealed partial class ThreadTime : TimeProvider
{
    private const int ThreadClock = 3;

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp()
    {
        _ = clock_gettime(ThreadClock, out var time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Time time);

    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
