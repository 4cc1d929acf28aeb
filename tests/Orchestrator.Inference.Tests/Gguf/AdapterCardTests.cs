using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Gguf;

public sealed class AdapterCardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fitting_adapter_is_described()
    {
        var path = TinyAdapter.Create(_folder.File("a.gguf"), TinyModel.SharedPath, new TinyAdapterOptions { Name = "tone", InvocationTokens = [5, 6] });
        var card = AdapterCard.Read(path, GgufReader.ReadModel(TinyModel.SharedPath));
        Assert.Equal(("tone", "llama", 8f, 4), (card.Name, card.Architecture, card.Alpha, card.Rank));
        Assert.Equal(6, card.Targets.Count);
        Assert.Contains("blk.1.attn_v.weight", card.Targets);
        Assert.Equal([5, 6], card.InvocationTokens);
    }

    [Fact]
    public void An_adapter_of_another_model_names_both()
    {
        var other = TinyModel.Create(_folder.File("wide.gguf"), new TinyModelOptions { Name = "wide", Width = 128 });
        var path = TinyAdapter.Create(_folder.File("a.gguf"), other);
        var e = Assert.Throws<OrchestratorException>(() => AdapterCard.Read(path, GgufReader.ReadModel(TinyModel.SharedPath)));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(TinyModel.SharedPath, e.Message, StringComparison.Ordinal);
        Assert.Contains("another model", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedding_update_needs_an_output_layer_of_its_own()
    {
        Assert.Empty(Problems(TinyModel.SharedPath, null, "token_embd.weight", transposed: true));
        var tied = TinyModel.Create(_folder.File("tied.gguf"), new TinyModelOptions { TiedEmbeddings = true });
        Assert.Contains("end the process", Assert.Single(Problems(tied, null, "token_embd.weight", transposed: true)).Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("general.type", "model", "must be 'adapter'")]
    [InlineData("general.type", 3, "must be str")]
    [InlineData("general.architecture", "qwen3", "is for 'qwen3'")]
    [InlineData("general.architecture", 3u, "must be str")]
    [InlineData("adapter.type", "ia3", "must be 'lora'")]
    [InlineData("adapter.lora.alpha", null, "scale of 1")]
    [InlineData("adapter.lora.alpha", 0f, "scale of 1")]
    [InlineData("adapter.lora.alpha", float.NaN, "positive")]
    [InlineData("adapter.lora.alpha", 8u, "must be f32")]
    [InlineData("adapter.alora.invocation_tokens", 8u, "must be arr[u32]")]
    [InlineData("adapter.alora.invocation_tokens", new[] { 1, 2 }, "must be arr[u32]")]
    [InlineData("adapter.alora.invocation_tokens", new[] { 9999u }, "out of range")]
    public void A_broken_field_is_named(string key, object? value, string cause)
    {
        var problems = Problems(TinyModel.SharedPath, metadata =>
        {
            metadata.Remove(key);
            if (value is not null)
            {
                metadata[key] = GgufValue.Of(value);
            }
        });
        Assert.Contains(problems, problem => problem.Where == key && problem.Cause.Contains(cause, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("blk.0.attn_norm.weight", "silently leave")]
    [InlineData("blk.0.attn_q.bias", "must end in")]
    [InlineData("blk.0.attn_q.weight.lora_c", "must end in")]
    [InlineData("blk.0.attn_k.weight.lora_a", "other half")]
    [InlineData("blk.0.attn_k.weight.lora_b", "other half")]
    public void A_stray_tensor_is_named(string name, string cause)
    {
        var problem = Assert.Single(Problems(TinyModel.SharedPath, null, stray: name));
        Assert.Contains(name, problem.Where, StringComparison.Ordinal);
        Assert.Contains(cause, problem.Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blk.9.attn_q.weight", "has no tensor")]
    [InlineData("blk.0.attn_k.weight", "don't make an update")]
    [InlineData("output_norm.weight", "no matrix")]
    public void A_wrong_target_is_named(string target, string cause)
    {
        var problem = Assert.Single(Problems(TinyModel.SharedPath, null, target));
        Assert.Contains(target, problem.Where, StringComparison.Ordinal);
        Assert.Contains(cause, problem.Cause, StringComparison.Ordinal);
    }

    private IReadOnlyList<GgufProblem> Problems(
        string model, Action<GgufMetadata>? change, string target = "blk.0.attn_q.weight", bool transposed = false, string? stray = null)
    {
        var metadata = new GgufMetadata
        {
            ["general.architecture"] = "llama",
            ["general.type"] = "adapter",
            ["adapter.type"] = "lora",
            ["adapter.lora.alpha"] = 8f,
        };
        change?.Invoke(metadata);
        var writer = new GgufWriter(metadata);
        writer.Add($"{target}.lora_a", transposed ? [2, 512] : [64, 2], new float[transposed ? 1024 : 128]);
        writer.Add($"{target}.lora_b", [2, 64], new float[128]);
        if (stray is not null)
        {
            writer.Add(stray, [2, 64], new float[128]);
        }

        var path = _folder.File("adapter.gguf");
        writer.Write(path);
        return AdapterValidator.Check(GgufReader.Read(path), GgufReader.ReadModel(model));
    }
}
