using System.Globalization;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Core;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Native;

namespace Orchestrator.Console.Commands.Doctor;

/// <summary>How one thing was found.</summary>
internal enum Health
{
    /// <summary>It works.</summary>
    Ok,

    /// <summary>It works, but could be better.</summary>
    Warning,

    /// <summary>Models cannot run until it is fixed.</summary>
    Failed,
}

/// <summary>One line of a checkup.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Health">How it was found.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Fix">What to do where it is not well.</param>
internal sealed record Finding(string Check, Health Health, string Detail, string? Fix = null);

/// <summary>Looks at what running a model needs: the native library, the processor, a GPU, the model, and memory.</summary>
internal sealed class Checkup
{
    /// <summary>The options of inference, as the settings and the command line give them.</summary>
    public required InferenceOptions Options { get; init; }

    /// <summary>The machine.</summary>
    public required Hardware Hardware { get; init; }

    /// <summary>Loads and describes the native library, or throws what is wrong with it.</summary>
    public required Func<NativeDescription> DescribeNative { get; init; }

    /// <summary>Finds the model's file, or throws what is wrong.</summary>
    public required Func<string> ResolveModel { get; init; }

    /// <summary>How many threads want to run, on average over the last minute; null where the system does not tell.</summary>
    public double? Load { get; init; }

    /// <summary>Whether the machine has a GPU of NVIDIA.</summary>
    public bool HasNvidiaDevice { get; init; }

    /// <summary>Does the checkup.</summary>
    public IReadOnlyList<Finding> Run(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        var native = Attempt("native library", findings, DescribeNative);
        if (native is not null)
        {
            findings.Add(new("native library", Health.Ok, $"llama.cpp {native.LlamaVersion}, ggml {native.GgmlVersion}, from {native.Folder}"));
            findings.Add(new("processor", Health.Ok, $"{native.CpuLibrary ?? "CPU"}: {Features(native.SystemInfo)}"));
            findings.Add(Gpu(native));
        }

        findings.Add(Threads());
        var model = Attempt("model", findings, () => GgufValidator.ReadValid(ResolveModel(), cancellationToken));
        if (model is not null)
        {
            var card = ModelCard.Of(model);
            findings.Add(new(
                "model",
                Health.Ok,
                FormattableString.Invariant($"{card.Name}, {card.Architecture}, {ByteSize.Format(card.FileBytes)}, trained for {card.Context:N0} tokens, {card.Path}")));
            findings.Add(Memory(card, native));
            findings.Add(Decisions(model));
        }
        else
        {
            findings.Add(new(
                "memory",
                Health.Ok,
                $"{ByteSize.Format(Hardware.AvailableMemory)} of {ByteSize.Format(Hardware.TotalMemory)} available; what a model needs is compared once there is one"));
        }

        return findings;
    }

    // "CPU : AVX = 1 | AVX2 = 1 | LLAMAFILE = 1" as the library writes it.
    private static string Features(string systemInfo) => string.Join(' ', systemInfo
        .Split([':', '|'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Where(part => part.EndsWith("= 1", StringComparison.Ordinal))
        .Select(part => part[..part.IndexOf(' ', StringComparison.Ordinal)]));

    private static T? Attempt<T>(string check, List<Finding> findings, Func<T> look)
        where T : class
    {
        try
        {
            return look();
        }
        catch (OrchestratorException exception)
        {
            findings.Add(new(check, Health.Failed, exception.Message, exception.Remedy));
            return null;
        }
    }

    private Finding Gpu(NativeDescription native)
    {
        var gpus = native.Devices.Where(device => device.IsGpu).ToList();
        if (gpus.Count > 0)
        {
            return new("GPU", Health.Ok, string.Join("; ", gpus.Select(gpu =>
                $"{gpu.Name}: {gpu.Description}, {ByteSize.Format(gpu.FreeBytes)} of {ByteSize.Format(gpu.TotalBytes)} free")));
        }

        return HasNvidiaDevice
            ? new("GPU", Health.Warning, "There is an NVIDIA GPU, but this build computes on the CPU.", "Build with -p:OrchestratorGpu=cuda (or vulkan); it needs the NVIDIA driver.")
            : new("GPU", Health.Ok, "None; models run on the CPU.");
    }

    private Finding Threads()
    {
        var used = Options.Threads > 0 ? Options.Threads : Hardware.RecommendedThreads;
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"{used} of {Hardware.LogicalProcessors} processors ({Hardware.PhysicalCores} cores)");
        if (used > Hardware.LogicalProcessors)
        {
            return new("threads", Health.Warning, detail + "; more threads than processors is slower many times over", "Set Orchestrator:Threads to 0, which takes one for each core.");
        }

        return Load is { } load && load > Hardware.LogicalProcessors * 1.5
            ? new("threads", Health.Warning, string.Create(CultureInfo.InvariantCulture, $"{detail}; the machine is busy (load {load:0.0})"), "Stop what else runs, or set Orchestrator:Threads lower.")
            : new("threads", Health.Ok, detail);
    }

    private static Finding Decisions(GgufModel model)
    {
        const string Measure = "orchestrator model measure";
        var (profile, problem) = DecisionProfileFile.Read(model);
        return problem is not null
            ? new("decisions", Health.Warning, problem, $"Measure the model again: {Measure}")
            : new("decisions", Health.Ok, MeasurementView.Summary(profile) ?? $"by default; what suits the model was not measured: {Measure}");
    }

    private Finding Memory(ModelCard card, NativeDescription? native)
    {
        var free = native is null || Options.GpuLayers >= 0 ? 0 : native.Devices.Where(device => device.IsGpu).Sum(device => device.FreeBytes);
        var available = free > 0 ? free : Hardware.AvailableMemory;
        var where = free > 0 ? "on the GPU" : $"of {ByteSize.Format(Hardware.TotalMemory)}";
        var context = Options.ContextSize > 0 ? Options.ContextSize : Math.Min(card.Context, 8192);
        var needed = card.MemoryAt(context, Options.MemoryAssumptions);
        var detail = FormattableString.Invariant($"{ByteSize.Format(needed.Total)} needed at a context of {context:N0} tokens, {ByteSize.Format(available)} {where} available");
        if (needed.Total <= available)
        {
            return new("memory", Health.Ok, detail);
        }

        var largest = card.LargestContext(available, Options.MemoryAssumptions);
        return largest == 0
            ? new("memory", Health.Failed, detail, "Free memory, or use a smaller model: see `orchestrator model list`.")
            : new("memory", Options.ContextSize > 0 ? Health.Failed : Health.Warning, detail, $"Set Orchestrator:ContextSize to {largest} or less, or free memory.");
    }
}
