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
        var path = Mamba(_folder.File("mamba.gguf"), layers: 3, width: 64);
        var (estimate, taken) = Load(path, 512, 64, 8);
        Assert.InRange(taken["RS"], estimate.Cache - Rounding, estimate.Cache + Rounding);
        Assert.Equal(3 * ((3 * 128) + (16 * 128)) * sizeof(float) * 8, estimate.Cache);
    }

    private static void Compare(string path, int context, int batch, int sequences, double compute)
    {
        var (estimate, taken) = Load(path, context, batch, sequences);
        Assert.InRange(taken["model"], estimate.Weights - Rounding, estimate.Weights + Rounding);
        Assert.InRange(taken["KV"], estimate.Cache - Rounding, estimate.Cache + Rounding);
        Assert.InRange(estimate.Compute, taken["compute"] - Rounding, (taken["compute"] * (1 + compute)) + (1 << 20));

        // The library begins with a row for each sequence; a batch whose tokens are all scored takes a row for each.
        var rows = Math.Max(batch, sequences);
        Assert.InRange(taken["output"] / sequences * rows, estimate.Output - (Rounding * rows / sequences), estimate.Output + (Rounding * rows / sequences));
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

    /// <summary>A Mamba model with weights of one value, in llama.cpp's layout of tensors.</summary>
    private static string Mamba(string path, int layers, int width)
    {
        const int Kernel = 4;
        const int State = 16;
        const int Rank = 4;
        var inner = 2 * width;
        var described = TinyModel.Describe(new TinyModelOptions());
        var metadata = new GgufMetadata();
        foreach (var (key, value) in described)
        {
            if (!key.StartsWith("llama.", StringComparison.Ordinal))
            {
                metadata[key] = value;
            }
        }

        metadata["general.architecture"] = "mamba";
        metadata["mamba.block_count"] = (uint)layers;
        metadata["mamba.context_length"] = 2048u;
        metadata["mamba.embedding_length"] = (uint)width;
        metadata["mamba.feed_forward_length"] = 0u;
        metadata["mamba.attention.head_count"] = 0u;
        metadata["mamba.attention.layer_norm_rms_epsilon"] = 1e-5f;
        metadata["mamba.ssm.conv_kernel"] = (uint)Kernel;
        metadata["mamba.ssm.inner_size"] = (uint)inner;
        metadata["mamba.ssm.state_size"] = (uint)State;
        metadata["mamba.ssm.time_step_rank"] = (uint)Rank;
        var writer = new GgufWriter(metadata);
        Add("token_embd.weight", width, 512);
        Add("output_norm.weight", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}.";
            Add(block + "attn_norm.weight", width);
            Add(block + "ssm_in.weight", width, 2 * inner);
            Add(block + "ssm_conv1d.weight", Kernel, inner);
            Add(block + "ssm_conv1d.bias", inner);
            Add(block + "ssm_x.weight", inner, Rank + (2 * State));
            Add(block + "ssm_dt.weight", Rank, inner);
            Add(block + "ssm_dt.bias", inner);
            Add(block + "ssm_a", State, inner);
            Add(block + "ssm_d", inner);
            Add(block + "ssm_out.weight", inner, width);
        }

        using var stream = File.Create(path);
        writer.Write(stream);
        return path;

        void Add(string name, params long[] extents)
        {
            var values = new float[extents.Aggregate(1L, (product, extent) => product * extent)];
            Array.Fill(values, 0.01f);
            writer.Add(name, extents, values);
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
