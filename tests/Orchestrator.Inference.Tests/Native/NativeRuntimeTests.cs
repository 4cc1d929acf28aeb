using System.Runtime.CompilerServices;
using Orchestrator.Core;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Tests.Native;

public class NativeRuntimeTests
{
    [Fact]
    public void The_library_beside_the_program_is_the_one_the_bindings_describe()
    {
        var description = NativeRuntime.Describe();
        Assert.Equal(NativeFingerprint.LlamaVersion, description.LlamaVersion);
        Assert.StartsWith(NativeFingerprint.GgmlVersion, description.GgmlVersion, StringComparison.Ordinal);
        Assert.StartsWith(AppContext.BaseDirectory, description.Folder, StringComparison.Ordinal);
        Assert.NotEmpty(description.SystemInfo);
        Assert.Contains(description.Devices, device => !device.IsGpu && device.TotalBytes > 0);
    }

    [Fact]
    public void Structs_have_the_sizes_of_the_header()
    {
        Assert.Equal(80, Unsafe.SizeOf<LlamaModelParams>());
        Assert.Equal(160, Unsafe.SizeOf<LlamaContextParams>());
        Assert.Equal(56, Unsafe.SizeOf<LlamaBatch>());
        Assert.Equal(528, Unsafe.SizeOf<GgmlThreadPoolParams>());
    }

    [Fact]
    public void Another_version_is_refused_with_both_names()
    {
        var error = Assert.Throws<OrchestratorException>(() => NativeFingerprint.Require("/some/folder", "llama.cpp 1", "llama.cpp 2"));
        Assert.Contains("llama.cpp 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("llama.cpp 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("/some/folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_machine_has_cores_and_memory()
    {
        var hardware = Hardware.Detect();
        Assert.InRange(hardware.PhysicalCores, 1, 4096);
        Assert.InRange(hardware.RecommendedThreads, 1, hardware.LogicalProcessors);
        Assert.InRange(hardware.AvailableMemory, 1, hardware.TotalMemory);
    }

    [Fact]
    public void Hardware_threads_of_one_core_count_once()
    {
        using var folder = new TemporaryFolder();
        foreach (var (cpu, siblings) in new[] { ("cpu0", "0,2"), ("cpu1", "1,3"), ("cpu2", "0,2"), ("cpu3", "1,3") })
        {
            var topology = Directory.CreateDirectory(Path.Combine(folder.Path, cpu, "topology")).FullName;
            File.WriteAllText(Path.Combine(topology, "thread_siblings_list"), siblings + "\n");
        }

        Directory.CreateDirectory(Path.Combine(folder.Path, "cpufreq"));
        Assert.Equal(2, Hardware.CountCores(folder.Path));
        Assert.Null(Hardware.CountCores(Path.Combine(folder.Path, "none")));
    }
}
