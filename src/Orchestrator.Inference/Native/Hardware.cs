using System.Globalization;

namespace Orchestrator.Inference.Native;

/// <summary>What this process may use of the machine.</summary>
/// <param name="PhysicalCores">Cores, not counting hardware threads, that the process may run on.</param>
/// <param name="LogicalProcessors">Hardware threads that the process may run on, limits of a container included.</param>
/// <param name="TotalMemory">Bytes of memory that the process may use at most: the machine's, or the container's.</param>
/// <param name="AvailableMemory">Bytes that can be taken now without swapping.</param>
public sealed record Hardware(int PhysicalCores, int LogicalProcessors, long TotalMemory, long AvailableMemory)
{
    /// <summary>
    /// Threads to compute with: one for each core. A second hardware thread on a core adds nothing to arithmetic that
    /// is bound by memory, and more threads than processors is slower by orders of magnitude.
    /// </summary>
    public int RecommendedThreads => Math.Max(1, Math.Min(PhysicalCores, LogicalProcessors));

    /// <summary>Looks at the machine.</summary>
    /// <returns>What is there now.</returns>
    public static Hardware Detect()
    {
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return new Hardware(
            CountCores("/sys/devices/system/cpu") ?? Environment.ProcessorCount,
            Environment.ProcessorCount,
            total,
            Math.Min(AvailableMemoryOf(total), total));
    }

    /// <summary>Counts distinct sets of sibling threads; null where the system does not list them.</summary>
    internal static int? CountCores(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        var siblings = Directory.EnumerateDirectories(folder, "cpu*")
            .Select(cpu => Path.Combine(cpu, "topology", "thread_siblings_list"))
            .Where(File.Exists)
            .Select(path => File.ReadAllText(path).Trim())
            .ToHashSet(StringComparer.Ordinal);
        return siblings.Count == 0 ? null : siblings.Count;
    }

    /// <summary>The kernel's own estimate, less what a container's limit leaves.</summary>
    private static long AvailableMemoryOf(long total)
    {
        var available = ReadMemoryInfo("/proc/meminfo", "MemAvailable:") ?? total - Environment.WorkingSet;
        if (ReadNumber("/sys/fs/cgroup/memory.max") is { } limit && ReadNumber("/sys/fs/cgroup/memory.current") is { } used)
        {
            // File cache counts as used but is given back when needed.
            var cache = ReadMemoryInfo("/sys/fs/cgroup/memory.stat", "file", unit: 1) ?? 0;
            available = Math.Min(available, limit - used + cache);
        }

        return Math.Max(0, available);
    }

    private static long? ReadNumber(string path) =>
        File.Exists(path) && long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static long? ReadMemoryInfo(string path, string key, long unit = 1024)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var fields = File.ReadLines(path)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields => fields.Length >= 2 && fields[0] == key);
        return fields is not null && long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value * unit
            : null;
    }
}
