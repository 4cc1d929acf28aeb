using Orchestrator.Console.Commands.Doctor;
using Orchestrator.Core;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Native;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Commands;

public class CheckupTests
{
    private const long GiB = 1L << 30;

    private static readonly NativeDescription OnCpu = new(
        "/folder", "0.5.0-dev", "0.25.1", "CPU : AVX = 1 | AVX2 = 1 | F16C = 0", "libggml-cpu-zen4", [new("CPU", "A processor", false, GiB, GiB)]);

    [Fact]
    public void A_machine_that_can_run_models_passes()
    {
        var findings = Check();
        Assert.All(findings, finding => Assert.Equal(Health.Ok, finding.Health));
        Assert.Equal(["native library", "processor", "GPU", "threads", "model", "memory", "decisions"], findings.Select(finding => finding.Check));
        Assert.EndsWith("AVX AVX2", Find(findings, "processor").Detail, StringComparison.Ordinal);
        Assert.StartsWith("2 of 4", Find(findings, "threads").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_library_and_a_missing_model_name_their_fixes()
    {
        var findings = Check(
            describe: () => throw new OrchestratorException(ErrorKind.Model, "No library.", "Build it."),
            resolve: () => throw new OrchestratorException(ErrorKind.Model, "No model.", "Pull it."));
        Assert.Equal(("No library.", "Build it."), (Find(findings, "native library").Detail, Find(findings, "native library").Fix!));
        Assert.Equal("Pull it.", Find(findings, "model").Fix);
        Assert.Equal(2, findings.Count(finding => finding.Health == Health.Failed));
        Assert.StartsWith("1 GiB of 2 GiB available", Find(findings, "memory").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_little_memory_names_the_context_that_fits()
    {
        var memory = Find(Check(options: new InferenceOptions { ContextSize = 1 << 22 }, available: GiB / 2), "memory");
        Assert.Equal(Health.Failed, memory.Health);
        Assert.Contains("ContextSize", memory.Fix, StringComparison.Ordinal);
        Assert.Equal(Health.Failed, Find(Check(available: 1000), "memory").Health);
    }

    [Fact]
    public void The_memory_of_a_gpu_counts_where_there_is_one()
    {
        var gpu = OnCpu with { Devices = [.. OnCpu.Devices, new("CUDA0", "A card", true, 8 * GiB, 16 * GiB)] };
        var findings = Check(describe: () => gpu, available: 1000);
        Assert.Contains("A card, 8 GiB of 16 GiB free", Find(findings, "GPU").Detail, StringComparison.Ordinal);
        Assert.Contains("on the GPU", Find(findings, "memory").Detail, StringComparison.Ordinal);
        Assert.Equal(Health.Ok, Find(findings, "memory").Health);
    }

    [Fact]
    public void A_gpu_that_the_build_does_not_use_is_pointed_out() =>
        Assert.Contains("OrchestratorGpu", Find(Check(nvidia: true), "GPU").Fix, StringComparison.Ordinal);

    [Theory]
    [InlineData(8, 0.0, "Orchestrator:Threads to 0")]
    [InlineData(0, 9.0, "what else runs")]
    public void Threads_that_would_be_slow_are_pointed_out(int threads, double load, string fix)
    {
        var finding = Find(Check(options: new InferenceOptions { Threads = threads }, load: load), "threads");
        Assert.Equal(Health.Warning, finding.Health);
        Assert.Contains(fix, finding.Fix, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Finding> Check(
        InferenceOptions? options = null,
        Func<NativeDescription>? describe = null,
        Func<string>? resolve = null,
        long available = GiB,
        double load = 0.1,
        bool nvidia = false) => new Checkup
        {
            Options = options ?? new InferenceOptions(),
            Hardware = new Hardware(PhysicalCores: 2, LogicalProcessors: 4, TotalMemory: 2 * GiB, AvailableMemory: available),
            DescribeNative = describe ?? (() => OnCpu),
            ResolveModel = resolve ?? (() => TinyModel.SharedPath),
            Load = load,
            HasNvidiaDevice = nvidia,
        }.Run(CancellationToken.None);

    private static Finding Find(IReadOnlyList<Finding> findings, string check) => findings.Single(finding => finding.Check == check);
}
