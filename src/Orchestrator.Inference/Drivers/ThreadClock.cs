using System.Runtime.InteropServices;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>The processor time of the current thread.</summary>
internal static partial class ThreadClock
{
    private const int LinuxThreadClock = 3;
    private const int MacThreadClock = 16;

    /// <summary>What the current thread has used; null where the system does not tell.</summary>
    public static TimeSpan? ProcessorTime
    {
        get
        {
            if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            {
                return null;
            }

            return GetTime(OperatingSystem.IsLinux() ? LinuxThreadClock : MacThreadClock, out var time) == 0
                ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
                : null;
        }
    }

    [LibraryImport(NativeLibraries.LibC, EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
