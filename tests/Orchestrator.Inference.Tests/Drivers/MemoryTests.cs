using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Drivers;

/// <summary>The native library's messages are the process's, so nothing else loads a model meanwhile.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class MemoryTestsAlone;

/// <summary>The memory that is estimated from a header, beside what llama.cpp says that it takes.</summary>
[Collection(nameof(MemoryTests))]
public sealed partial class MemoryTests : IDisposable
{
    // Figures are printed in MiB with two digits.
    private const double Rounding = 0.01 * (1 << 20);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData(2048, 512, 64)]
    [InlineData(8192, 512, 64)]
    [InlineData(4096, 128, 16)]
    public void A_published_model(int context, int batch, int sequences)
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        Compare(TestModels.Real, context, batch, sequences, compute: 0.15);
    }

    [Theory]
    [InlineData(512, 128, 1024, 2048, 512)]
    [InlineData(8192, 256, 512, 4096, 256)]
    [InlineData(1024, 512, 2048, 1024, 512)]
    public void A_generated_model(int vocabulary, int width, int hidden, int context, int batch)
    {
        var options = new TinyModelOptions { Vocabulary = vocabulary, Width = width, FeedForward = hidden, Heads = 4, KeyValueHeads = 2, Layers = 2, Context = 4096 };
        Compare(TinyModel.Create(_folder.File("model.gguf"), options), context, batch, 16, compute: 0.5);
    }

    [Fact]
    public void A_recurrent_model()
    {
        var path = TinyModel.Create(_folder.File("mamba.gguf"), new TinyModelOptions { Architecture = TinyArchitecture.Recurrent, Layers = 3 });
        var (estimate, taken) = Load(path, 512, 64, 8);
        Assert.InRange(taken["RS"], estimate.Cache - Rounding, estimate.Cache + Rounding);
        Assert.Equal(3 * ((3 * 128) + (16 * 128)) * sizeof(float) * 8, estimate.Cache);
    }

    [Fact]
    public void A_model_with_both_kinds_of_layers()
    {
        var path = TinyModel.Create(_folder.File("hybrid.gguf"), new TinyModelOptions { Architecture = TinyArchitecture.Hybrid, Layers = 5, Width = 256 });
        var (estimate, taken) = Load(path, 4096, 64, 64);
        Assert.InRange(taken["KV"] + taken["RS"], estimate.Cache - (2 * Rounding), estimate.Cache + (2 * Rounding));

        // Two layers of keys and values in 16 bits, and three with two tokens' states for each sequence.
        Assert.Equal((2 * 2 * 128 * 2 * 4096) + (3 * 2 * 256 * sizeof(float) * 64), estimate.Cache);
        Assert.InRange(estimate.Compute, taken["compute"] - Rounding, (taken["compute"] * 1.5) + (1 << 20));
    }

    [Fact]
    public void A_model_with_a_sliding_window() => Compare(
        TinyModel.Create(
            _folder.File("window.gguf"),
            new TinyModelOptions { Architecture = TinyArchitecture.SlidingWindow, Layers = 4, Width = 256, FeedForward = 512, Context = 8192 }),
        4096,
        256,
        16,
        compute: 0.5,
        rows: 33); // Each sequence has a twin.

    private static void Compare(string path, int context, int batch, int sequences, double compute, int? rows = null)
    {
        var (estimate, taken) = Load(path, context, batch, sequences);
        Assert.InRange(taken["model"], estimate.Weights - Rounding, estimate.Weights + Rounding);
        Assert.InRange(taken["KV"], estimate.Cache - Rounding, estimate.Cache + Rounding);
        Assert.InRange(estimate.Compute, taken["compute"] - Rounding, (taken["compute"] * (1 + compute)) + (1 << 20));

        // The library begins with a row for each sequence; a batch whose tokens are all scored takes a row for each.
        var scale = Math.Max(batch, sequences) / (double)(rows ?? sequences);
        Assert.InRange(taken["output"] * scale, estimate.Output - (Rounding * scale), estimate.Output + (Rounding * scale));
    }

    private static (MemoryEstimate Estimate, Dictionary<string, double> Taken) Load(string path, int context, int batch, int sequences)
    {
        var log = new BufferLog();
        var options = new LlamaDriverOptions { ModelPath = path, ContextSize = context, BatchSize = batch, MaxSequences = sequences, GpuLayers = 0 };
        using (LlamaDriverLoader.Open(options, log))
        {
            var estimate = ModelCard.Of(GgufReader.ReadModel(path)).MemoryAt(context, new MemoryAssumptions { Batch = batch, Sequences = sequences });
            return (estimate, log.Taken);
        }
    }

    /// <summary>Sums the sizes that the library says of its buffers, by kind.</summary>
    private sealed partial class BufferLog : ILogger
    {
        public Dictionary<string, double> Taken { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Size().Match(formatter(state, exception)) is { Success: true } match)
            {
                var kind = match.Groups["kind"].Value;
                Taken[kind] = Taken.GetValueOrDefault(kind) + (double.Parse(match.Groups["size"].Value, CultureInfo.InvariantCulture) * (1 << 20));
            }
        }

        [GeneratedRegex(@"(?<kind>model|KV|RS|compute|output) buffer size =\s*(?<size>[\d.]+) MiB")]
        private static partial Regex Size();
    }
}
