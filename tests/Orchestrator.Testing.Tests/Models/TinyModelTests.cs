using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Testing.Tests.Models;

public class TinyModelTests
{
    [Fact]
    public void The_same_options_give_the_same_bytes()
    {
        Assert.Equal(Bytes(new TinyModelOptions()), Bytes(new TinyModelOptions()));
        Assert.NotEqual(Bytes(new TinyModelOptions()), Bytes(new TinyModelOptions { Seed = 2 }));
    }

    [Fact]
    public void The_default_is_small()
    {
        Assert.InRange(new FileInfo(TinyModel.SharedPath).Length, 100_000, 2_000_000);
    }

    [Fact]
    public void The_vocabulary_encodes_every_byte_and_has_no_duplicates()
    {
        var vocabulary = TinyVocabulary.OfSize(4096);
        Assert.Equal(4096, vocabulary.Tokens.Count);
        Assert.Equal(4096, vocabulary.Types.Count);
        Assert.Equal(4096, vocabulary.Tokens.Distinct(StringComparer.Ordinal).Count());
        Assert.All(vocabulary.Tokens.Skip(3).Take(256), token => Assert.Equal(1, token.Length));
        Assert.All(vocabulary.Merges, merge => Assert.Contains(merge.Replace(" ", "", StringComparison.Ordinal), vocabulary.Tokens));
    }

    [Fact]
    public void A_published_vocabulary_is_taken_with_its_merges()
    {
        byte[][] ranks = [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b }), "he"u8.ToArray(), "ll"u8.ToArray(), "hell"u8.ToArray(), "hello"u8.ToArray(), " hello"u8.ToArray()];

        var vocabulary = TinyVocabulary.Of(ranks, 3 + 260);

        Assert.Equal(["he", "ll", "hell", "hello"], vocabulary.Tokens.Skip(3 + 256));
        Assert.Equal(["h e", "l l", "he ll", "hell o"], vocabulary.Merges);
        Assert.Throws<ArgumentException>(() => TinyVocabulary.Of([.. ranks, "xyz"u8.ToArray()], 3 + 262));
        Assert.Throws<ArgumentOutOfRangeException>(() => TinyVocabulary.Of(ranks, 3 + 262));
    }

    [Theory]
    [InlineData(GgmlType.F32, 64 * 512 * 4)]
    [InlineData(GgmlType.Q8_0, 64 * 512 / 32 * 34)]
    public void Matrices_have_the_type_asked_for(GgmlType type, long bytes)
    {
        var file = GgufReader.Read(new MemoryStream(Bytes(new TinyModelOptions { Type = type })), "memory");
        Assert.Equal(bytes, file.Tensors.Single(tensor => tensor.Name == "token_embd.weight").Bytes);
        Assert.Equal(GgmlType.F32, file.Tensors.Single(tensor => tensor.Name == "output_norm.weight").Type);
    }

    [Fact]
    public void A_tied_model_has_no_output_layer()
    {
        var file = GgufReader.Read(new MemoryStream(Bytes(new TinyModelOptions { TiedEmbeddings = true })), "memory");
        Assert.DoesNotContain(file.Tensors, tensor => tensor.Name == "output.weight");
    }

    [Fact]
    public void Options_that_do_not_fit_together_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Bytes(new TinyModelOptions { Width = 48 }));
        Assert.Throws<ArgumentException>(() => Bytes(new TinyModelOptions { KeyValueHeads = 3 }));
        Assert.Throws<ArgumentException>(() => Bytes(new TinyModelOptions { Vocabulary = 100 }));
        Assert.Throws<ArgumentException>(() => Bytes(new TinyModelOptions { Architecture = (TinyArchitecture)9 }));
        Assert.Throws<ArgumentException>(() => Bytes(new TinyModelOptions { Window = 0 }));
    }

    private static byte[] Bytes(TinyModelOptions options)
    {
        using var stream = new MemoryStream();
        TinyModel.Create(stream, options);
        return stream.ToArray();
    }
}
