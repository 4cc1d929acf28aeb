using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Gguf;

/// <summary>Each of these files ends the process, or is silently used wrongly, when llama.cpp v0.5.0 loads it.</summary>
public class GgufValidatorTests
{
    private static readonly TinyModelOptions Small = new() { Width = 32, Heads = 2, KeyValueHeads = 1, FeedForward = 32, Vocabulary = 300 };

    private static readonly string[] Tokens = [.. TinyVocabulary.OfSize(300).Tokens];

    public static TheoryData<string, string, object?> BrokenKeys { get; } = new()
    {
        { "llama.block_count", "1 to 512", 0u },
        { "llama.block_count", "1 to 512", 513u },
        { "llama.block_count", "1 to 512", 1000u },
        { "llama.block_count", "tensors are those of 2 layers", 30u },
        { "llama.block_count", "missing", null },
        { "llama.block_count", "must be u32", 2 },
        { "llama.context_length", "missing", null },
        { "llama.embedding_length", "is 0", 0u },
        { "llama.nextn_predict_layers", "only 2 layers", 5u },
        { "llama.attention.head_count", "2 layers", new uint[] { 2, 2, 2 } },
        { "llama.attention.head_count_kv", "doesn't divide", 4u },
        { "llama.rope.dimension_count", "rotates all", 8u },
        { "llama.attention.value_length", "needs them equal", 8u },
        { "llama.attention.layer_norm_rms_epsilon", "not negative", -1f },
        { "llama.attention.layer_norm_rms_epsilon", "not negative", float.NaN },
        { "llama.rope.scaling.type", "not a known kind", "sideways" },
        { "llama.expert_count", "at most 1024", 5000u },
        { "llama.expert_used_count", "of 0 experts", 2u },
        { "llama.expert_group_count", "groups", 4u },
        { "llama.pooling_type", "0 to 4", 99u },
        { "general.architecture", "missing", null },
        { "general.type", "not a model", "adapter" },
        { "tokenizer.ggml.model", "missing", null },
        { "tokenizer.ggml.model", "no vocabulary", "none" },
        { "tokenizer.ggml.model", "byte token <0x00> is missing", "llama" },
        { "tokenizer.ggml.tokens", "missing", null },
        { "tokenizer.ggml.tokens", "list of tokens", new uint[] { 1, 2 } },
        { "tokenizer.ggml.token_type", "one for each", new[] { 1, 1 } },
        { "tokenizer.ggml.token_type", "must be arr[i32]", new uint[300] },
        { "tokenizer.ggml.token_type", "marked as a byte", 6 },
        { "tokenizer.ggml.scores", "one for each", new[] { 1f } },
        { "tokenizer.ggml.merges", "missing", null },
        { "tokenizer.ggml.merges", "must be arr[str]", new[] { 1 } },
        { "tokenizer.ggml.bos_token_id", "out of range", 300u },
        { "tokenizer.ggml.eos_token_id", "out of range", uint.MaxValue },
        { "tokenizer.ggml.eos_token_id", "must be u32", -1 },
        { "tokenizer.ggml.add_eos_token", "", "yes" },
        { "tokenizer.ggml.precompiled_charsmap", "character map", new byte[] { 255, 255, 255, 255, 0 } },
        { "tokenizer.chat_template", "must be str", 3u },
        { "split.count", "must be u16", 1u },
    };

    [Fact]
    public void A_generated_model_is_sound()
    {
        Assert.Empty(Check(_ => { }));
        Assert.Empty(GgufValidator.Check(GgufReader.ReadModel(TinyModel.SharedPath)));
    }

    [Theory]
    [MemberData(nameof(BrokenKeys))]
    public void A_broken_key_is_named(string key, string cause, object? value)
    {
        var problems = Check(metadata =>
        {
            if (value is null)
            {
                metadata.Remove(key);
            }
            else
            {
                // A single 6 stands for a whole vocabulary of byte tokens.
                metadata[key] = GgufValue.Of(key.EndsWith("token_type", StringComparison.Ordinal) && value is int kind ? Enumerable.Repeat(kind, 300).ToArray() : value);
            }
        });

        Assert.Contains(problems, problem => problem.ToString().Contains(key, StringComparison.Ordinal) || problem.Where.StartsWith("tokenizer.ggml.tokens", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.ToString().Contains(cause, StringComparison.Ordinal));
        Assert.All(problems, problem => Assert.Equal("broken.gguf", problem.File));
    }

    [Theory]
    [InlineData("a", "is also token")]
    [InlineData("a\0b", "zero byte")]
    public void Tokens_that_the_loader_would_confuse_are_refused(string token, string cause)
    {
        var problem = Assert.Single(Check(metadata => metadata["tokenizer.ggml.tokens"] = (string[])[.. Tokens[..299], token]));
        Assert.Equal("tokenizer.ggml.tokens[299]", problem.Where);
        Assert.Contains(cause, problem.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_tokens_may_repeat()
    {
        Assert.Empty(Check(metadata => metadata["tokenizer.ggml.tokens"] = (string[])[.. Tokens[..298], "", ""]));
    }

    [Fact]
    public void A_beginning_that_is_to_be_added_must_exist()
    {
        var problems = Check(metadata =>
        {
            metadata["tokenizer.ggml.add_bos_token"] = true;
            metadata.Remove("tokenizer.ggml.bos_token_id");
        });
        Assert.Contains("bos_token_id is missing", Assert.Single(problems).Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("output_norm.weight", GgmlType.F16, "must be F32")]
    [InlineData("blk.1.ffn_norm.weight", GgmlType.Q8_0, "must be F32")]
    [InlineData("token_embd.weight", GgmlType.I32, "no matrix")]
    [InlineData("blk.0.attn_q.weight", GgmlType.Q8_1, "no matrix")]
    [InlineData("blk.0.attn_q.weight", GgmlType.F64, "no matrix")]
    public void A_type_without_a_kernel_is_refused(string tensor, GgmlType type, string cause)
    {
        var problem = Assert.Single(Check(_ => { }, t => t.Name == tensor ? t with { Type = type } : t));
        Assert.Contains(tensor, problem.Where, StringComparison.Ordinal);
        Assert.Contains(cause, problem.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedding_of_another_vocabulary_is_refused()
    {
        var problem = Assert.Single(Check(_ => { }, t => t.Name == "token_embd.weight" ? t with { Dimensions = [32, 200] } : t));
        Assert.Contains("[32, 200]", problem.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_file_is_refused()
    {
        var bytes = Bytes(_ => { }, t => t);
        var file = GgufReader.Read(new MemoryStream(bytes[..^200]), "cut.gguf");
        var e = Assert.Throws<OrchestratorException>(() => GgufValidator.Validate(new GgufModel([file])));
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        Assert.StartsWith("cut.gguf: tensor ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Just some text that someone renamed.", "begins with 'Just'")]
    [InlineData("", "0 bytes")]
    public void A_text_file_named_gguf_is_refused(string text, string cause)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("note.gguf");
        File.WriteAllText(path, text);
        var e = Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(path));
        Assert.Equal(ErrorKind.Model, e.Kind);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(cause, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("no such file", Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(folder.File("none.gguf"))).Message, StringComparison.Ordinal);
        Assert.Contains("directory", Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_split_model_is_read_whole()
    {
        using var folder = new TemporaryFolder();
        WriteParts(folder, 3, count: 3);
        var model = GgufValidator.ReadValid(folder.File("m-00001-of-00003.gguf"));
        Assert.Equal(3, model.Parts.Count);
        Assert.Equal(GgufReader.ReadModel(TinyModel.SharedPath).Tensors.Count(), model.Tensors.Count());

        var second = Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(folder.File("m-00002-of-00003.gguf")));
        Assert.Contains("m-00001-of-00003.gguf", second.Remedy, StringComparison.Ordinal);

        File.Copy(folder.File("m-00002-of-00003.gguf"), folder.File("m-00003-of-00003.gguf"), overwrite: true);
        var swapped = Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(folder.File("m-00001-of-00003.gguf")));
        Assert.Contains("split.no", swapped.Message, StringComparison.Ordinal);

        File.Delete(folder.File("m-00003-of-00003.gguf"));
        var missing = Assert.Throws<OrchestratorException>(() => GgufValidator.ReadValid(folder.File("m-00001-of-00003.gguf")));
        Assert.Contains("m-00003-of-00003.gguf", missing.Message, StringComparison.Ordinal);
    }

    [Property(MaxTest = 300, Replay = "(11,13)")]
    public Property Any_key_may_hold_any_value_without_a_crash(int seed) => Prop.ToProperty(() =>
    {
        var random = new Random(seed);
        Check(metadata =>
        {
            var keys = metadata.Select(pair => pair.Key).ToArray();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                var key = keys[random.Next(keys.Length)];
                metadata[key] = random.Next(8) switch
                {
                    0 => (uint)random.Next(),
                    1 => -random.Next(),
                    2 => float.NaN,
                    3 => "?",
                    4 => new uint[random.Next(4)],
                    5 => new string[] { "", "a", "a" },
                    6 => new int[300],
                    _ => random.Next(2) == 0,
                };
            }

            metadata.Remove("general.alignment");
        });
    });

    [SkippableFact]
    public void A_published_model_is_sound()
    {
        var path = Environment.GetEnvironmentVariable("ORCHESTRATOR_TEST_MODEL");
        Skip.If(string.IsNullOrEmpty(path), "ORCHESTRATOR_TEST_MODEL names no model.");
        Assert.Empty(GgufValidator.Check(GgufReader.ReadModel(path)));
    }

    private static void WriteParts(TemporaryFolder folder, int parts, int count)
    {
        var options = new TinyModelOptions();
        var whole = GgufReader.Read(TinyModel.SharedPath);
        for (var part = 0; part < parts; part++)
        {
            var metadata = part == 0 ? TinyModel.Describe(options) : [];
            metadata["split.no"] = (ushort)part;
            metadata["split.count"] = (ushort)count;
            metadata["split.tensors.count"] = whole.Tensors.Count;
            var writer = new GgufWriter(metadata);
            foreach (var (tensor, _) in whole.Tensors.Select((tensor, i) => (tensor, i)).Where(pair => pair.i % parts == part))
            {
                writer.Add(tensor.Name, tensor.Dimensions, tensor.Type, stream => stream.Write(new byte[tensor.Bytes]));
            }

            writer.Write(folder.File($"m-{part + 1:D5}-of-{count:D5}.gguf"));
        }
    }

    private static IReadOnlyList<GgufProblem> Check(Action<GgufMetadata> change, Func<GgufTensor, GgufTensor>? reshape = null) =>
        GgufValidator.Check(new GgufModel([GgufReader.Read(new MemoryStream(Bytes(change, reshape ?? (t => t))), "broken.gguf")]));

    private static byte[] Bytes(Action<GgufMetadata> change, Func<GgufTensor, GgufTensor> reshape)
    {
        var metadata = TinyModel.Describe(Small);
        change(metadata);
        var sound = new MemoryStream();
        TinyModel.Create(sound, Small);
        sound.Position = 0;
        var writer = new GgufWriter(metadata);
        foreach (var tensor in GgufReader.Read(sound, "sound").Tensors.Select(reshape))
        {
            writer.Add(tensor.Name, tensor.Dimensions, tensor.Type, stream => stream.Write(new byte[tensor.Bytes]));
        }

        var bytes = new MemoryStream();
        writer.Write(bytes);
        return bytes.ToArray();
    }
}
