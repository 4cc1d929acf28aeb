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

    [SkippableFact]
    public void A_published_model_takes_what_was_measured()
    {
        var path = Environment.GetEnvironmentVariable("ORCHESTRATOR_TEST_MODEL");
        Skip.If(path?.Contains("SmolLM2-135M", StringComparison.Ordinal) != true, "ORCHESTRATOR_TEST_MODEL names another model, or none.");
        var card = ModelCard.Of(GgufReader.ReadModel(path));
        Assert.Equal((30, 9, 3, 49152, 8192), (card.Layers, card.Heads, card.KeyValueHeads, card.Vocabulary, card.Context));
        Assert.InRange(card.Parameters, 134_000_000, 135_000_000);
        Assert.True(card.TiedEmbeddings);

        // As llama.cpp v0.5.0 reports at this context: 45.00 MiB cache, 98 to 103 MiB compute.
        var memory = card.MemoryAt(2048);
        Assert.Equal(45L << 20, memory.Cache);
        Assert.InRange(memory.Compute, 98L << 20, 108L << 20);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(98_362_432, "93.8 MiB")]
    [InlineData(5L << 30, "5 GiB")]
    public void Sizes_are_readable(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
