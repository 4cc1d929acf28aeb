using System.Globalization;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>A process's largest resident size (proc(5)); known on Linux only.</summary>
internal static class PeakMemory
{
    /// <summary>Gives back what was freed: what one contender left is not the next one's memory.</summary>
    public static void GiveBack()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        LibC.TrimHeap();
    }

    /// <summary>Forgets this process's largest size so far.</summary>
    /// <returns>Whether it could be forgotten; otherwise <see cref="Read"/> tells of what was before.</returns>
    public static bool Reset()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Reads a process's largest size.</summary>
    /// <param name="process">Its id, or <c>self</c>.</param>
    /// <returns>Bytes, or null where the system does not tell.</returns>
    public static long? Read(string process = "self")
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return 1024 * long.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
