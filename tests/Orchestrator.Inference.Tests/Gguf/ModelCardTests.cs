using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Gguf;

public class ModelCardTests
{
    private static readonly ModelCard Tiny = ModelCard.Of(GgufReader.ReadModel(TinyModel.SharedPath));

    [Fact]
    public void The_card_says_what_the_model_is()
    {
        Assert.Equal(("tiny", "llama", "mit", 2048), (Tiny.Name, Tiny.Architecture, Tiny.Licence, Tiny.Context));
        Assert.Equal((2, 64, 4, 2, 512), (Tiny.Layers, Tiny.Width, Tiny.Heads, Tiny.KeyValueHeads, Tiny.Vocabulary));
        Assert.Equal((2 * 512 * 64) + (2 * ((2 * 64 * 64) + (2 * 64 * 32) + (3 * 64 * 128) + (2 * 64))) + 64, Tiny.Parameters);
        Assert.Equal(new QuantizationShare(GgmlType.F32, 21, Tiny.Parameters * 4), Assert.Single(Tiny.Quantization));
        Assert.Equal(new FileInfo(TinyModel.SharedPath).Length, Tiny.FileBytes);
        Assert.StartsWith("{% for message", Tiny.ChatTemplate, StringComparison.Ordinal);
        Assert.False(Tiny.TiedEmbeddings);
    }

    [Fact]
    public void The_cache_follows_from_layers_and_key_value_heads()
    {
        // Two layers, two heads of 16 elements, keys and values, two bytes: 256 bytes a token.
        Assert.Equal(2048 * 256, Tiny.MemoryAt(2048).Cache);
        Assert.Equal(256 * 256, Tiny.MemoryAt(1).Cache);
        Assert.Equal(Tiny.Parameters * 4, Tiny.MemoryAt(1).Weights);
        Assert.Equal(1024 * 256, Tiny.MemoryAt(2048, new MemoryAssumptions { CacheElementBytes = 1 }).Cache);
    }

    [Fact]
    public void Windowed_layers_can_keep_less()
    {
        var metadata = TinyModel.Describe(new TinyModelOptions());
        metadata["llama.attention.sliding_window"] = 256u;
        metadata["llama.attention.sliding_window_pattern"] = new[] { true, false };
        var card = ModelCard.Of(new GgufModel([new GgufFile("x", 0, 3, metadata, [], 32, 0)]));
        Assert.Equal(256, card.SlidingWindow);
        Assert.Equal(2048 * 256, card.MemoryAt(2048).Cache);
        Assert.Equal((2048 + 512) * 128, card.MemoryAt(2048, new MemoryAssumptions { FullSlidingWindow = false, Batch = 256 }).Cache);
    }

    [Fact]
    public void The_largest_context_is_the_last_that_fits()
    {
        for (var context = 256; context < Tiny.Context; context += 256)
        {
            var bytes = Tiny.MemoryAt(context).Total;
            Assert.Equal(context, Tiny.LargestContext(bytes));
            Assert.Equal(context - 256, Tiny.LargestContext(bytes - 1));
        }

        Assert.Equal(Tiny.Context, Tiny.LargestContext(long.MaxValue));
        Assert.Equal(0, Tiny.LargestContext(0));
    }

    [Fact]
    public void A_load_that_does_not_fit_is_refused_with_the_context_that_would()
    {
        Tiny.RequireMemory(2048, Tiny.MemoryAt(2048).Total);
        var e = Assert.Throws<OrchestratorException>(() => Tiny.RequireMemory(2048, Tiny.MemoryAt(1024).Total));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.Contains("context of 2048", e.Message, StringComparison.Ordinal);
        Assert.Contains("at most 1024 tokens", e.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_counts_a_row_of_logits_for_each_token_of_a_batch()
    {
        Assert.Equal(512 * 512 * 4, Tiny.MemoryAt(2048).Output);
        Assert.Equal(64 * 512 * 4, Tiny.MemoryAt(2048, new MemoryAssumptions { Batch = 32, Sequences = 64 }).Output);
        var memory = Tiny.MemoryAt(2048);
        Assert.Equal(memory.Weights + memory.Cache + memory.Compute + memory.Output, memory.Total);
    }

    [Fact]
    public void Layers_without_attention_keep_a_state_for_each_sequence()
    {
        // A hybrid of two layers: the first a Mamba layer, the second attention with two heads of 16 elements.
        var metadata = TinyModel.Describe(new TinyModelOptions());
        metadata["llama.attention.head_count_kv"] = new[] { 0u, 2u };
        metadata["llama.ssm.conv_kernel"] = 4u;
        metadata["llama.ssm.inner_size"] = 128u;
        metadata["llama.ssm.state_size"] = 16u;
        metadata["llama.ssm.group_count"] = 1u;
        var card = ModelCard.Of(new GgufModel([new GgufFile("x", 0, 3, metadata, [], 32, 0)]));
        var state = ((3 * (128 + (2 * 16))) + (16 * 128)) * 4;
        Assert.Equal((2048 * 128) + (8 * state), card.MemoryAt(2048, new MemoryAssumptions { Sequences = 8 }).Cache);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(98_362_432, "93.8 MiB")]
    [InlineData(5L << 30, "5 GiB")]
    public void Sizes_are_readable(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
