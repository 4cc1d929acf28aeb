using Orchestrator.Core;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>The model of a benchmark, which each contender opens for itself in the same way.</summary>
/// <param name="Path">The GGUF file, validated.</param>
/// <param name="Threads">Threads to compute with, at least 1.</param>
/// <param name="GpuLayers">Layers on a GPU; −1 for all.</param>
/// <param name="Time">The clock.</param>
internal sealed record BenchmarkModel(string Path, int Threads, int GpuLayers, TimeProvider Time)
{
    /// <summary>Tokens computed at once.</summary>
    public const int Batch = 512;

    /// <summary>The library rounds contexts to multiples of 256 itself.</summary>
    public static int RoundCells(int cells) => (cells + 255) / 256 * 256;

    /// <summary>How it is opened.</summary>
    public LlamaDriverOptions Options(int cells, int sequences) => new()
    {
        ModelPath = Path,
        ContextSize = RoundCells(cells),
        BatchSize = Batch,
        MaxSequences = sequences,
        Threads = Threads,
        GpuLayers = GpuLayers,
    };

    /// <summary>Opens an engine over a driver that counts.</summary>
    public (InferenceEngine Engine, CountingDriver Driver) OpenEngine(int cells, int sequences, SpeculationOptions? speculation = null)
    {
        var driver = new CountingDriver(LlamaDriverLoader.Open(Options(cells, sequences)), Time);
        var options = new InferenceEngineOptions { AdaptThreads = false, Speculation = speculation ?? new SpeculationOptions() };
        return (new InferenceEngine(driver, options, time: Time), driver);
    }

    /// <summary>Loads the weights for contexts of the C API.</summary>
    /// <exception cref="OrchestratorException">The library can't load them.</exception>
    public ModelHandle LoadWeights()
    {
        NativeRuntime.EnsureLoaded();
        var parameters = LlamaApi.ModelDefaultParams();
        parameters.GpuLayers = GpuLayers;
        var model = LlamaApi.ModelLoadFromFile(Path, parameters);
        if (!model.IsInvalid)
        {
            return model;
        }

        model.Dispose();
        throw new OrchestratorException(ErrorKind.Model, $"llama.cpp cannot load the model {Path}.", "Verify or pull the file again.");
    }

    /// <summary>Opens a context of the C API.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="cells">Cells of its cache.</param>
    /// <param name="sequences">Sequences.</param>
    /// <param name="cancellationToken">Ends the work at the next batch.</param>
    public RawContext OpenContext(ModelHandle weights, int cells, int sequences, CancellationToken cancellationToken = default) =>
        new(weights, RoundCells(cells), sequences, Batch, Threads, cancellationToken);
}
