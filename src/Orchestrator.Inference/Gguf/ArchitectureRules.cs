namespace Orchestrator.Inference.Gguf;

/// <summary>Whether a model's numbers of layers, heads and experts can be computed with.</summary>
internal static class ArchitectureRules
{
    private const int MaxLayers = 512;
    private const int MaxExperts = 1024;

    /// <summary>Architectures whose graph insists on equal lengths of keys, values and rotated dimensions.</summary>
    private static readonly HashSet<string> EqualHeadLengths = new(StringComparer.Ordinal)
    {
        "llama", "llama4", "mistral3", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "granite", "granitemoe", "olmo", "olmo2",
        "olmoe", "smollm3", "internlm2", "exaone", "exaone4", "starcoder2", "falcon", "seed_oss", "baichuan", "arcee", "deci", "ernie4_5",
    };

    internal static void Check(GgufModel model, GgufFindings findings)
    {
        var metadata = model.Metadata;
        var architecture = findings.Text(metadata, "general.architecture");
        if (string.IsNullOrEmpty(architecture))
        {
            findings.Require(metadata.Contains("general.architecture"), "general.architecture", "the key is missing, so this is not a language model");
            return;
        }

        findings.Text(metadata, "general.name");
        findings.UInt32(metadata, "general.file_type");
        string Key(string name) => $"{architecture}.{name}";
        Required(findings, metadata, Key("context_length"));
        var width = Required(findings, metadata, Key("embedding_length"));
        findings.Require(width is null or > 0, Key("embedding_length"), "the value is 0");
        var layers = Required(findings, metadata, Key("block_count"));
        if (layers is not { } blocks)
        {
            return;
        }

        if (blocks is 0 or > MaxLayers)
        {
            findings.Add(Key("block_count"), $"the value is {blocks}; 1 to {MaxLayers} layers are possible");
            return;
        }

        CheckLayerTensors(model, findings, Key("block_count"), (int)blocks);
        var extra = findings.UInt32(metadata, Key("nextn_predict_layers")) ?? 0;
        findings.Require(extra < blocks, Key("nextn_predict_layers"), $"the value is {extra}, but there are only {blocks} layers");
        CheckHeads(metadata, findings, Key, architecture, (int)blocks, width ?? 0);
        CheckExperts(metadata, findings, Key, (int)blocks);
        CheckRope(metadata, findings, Key);
        foreach (var key in new[] { Key("attention.layer_norm_rms_epsilon"), Key("attention.layer_norm_epsilon") })
        {
            var epsilon = findings.Float32(metadata, key);
            findings.Require(epsilon is null or (>= 0 and < float.PositiveInfinity), key, $"the value is {epsilon}, but must be a number that is not negative");
        }

        var pooling = findings.UInt32(metadata, Key("pooling_type"));
        findings.Require(pooling is null or <= 4, Key("pooling_type"), $"the value is {pooling}; 0 to 4 are known");
    }

    private static uint? Required(GgufFindings findings, GgufMetadata metadata, string key)
    {
        findings.Require(metadata.Contains(key), key, "the key is missing");
        return findings.UInt32(metadata, key);
    }

    private static void CheckLayerTensors(GgufModel model, GgufFindings findings, string key, int layers)
    {
        var present = -1;
        foreach (var tensor in model.Tensors)
        {
            var name = tensor.Name.AsSpan();
            if (name.StartsWith("blk.") && name[4..].IndexOf('.') is > 0 and var dot && int.TryParse(name.Slice(4, dot), out var layer))
            {
                present = Math.Max(present, layer);
            }
        }

        findings.Require(present < 0 || present == layers - 1, key, $"the value is {layers}, but the tensors are those of {present + 1} layers");
    }

    private static void CheckHeads(
        GgufMetadata metadata, GgufFindings findings, Func<string, string> key, string architecture, int layers, uint width)
    {
        var heads = findings.PerLayer(metadata, key("attention.head_count"), layers);
        var keyValueHeads = findings.PerLayer(metadata, key("attention.head_count_kv"), layers) ?? heads;
        if (heads is null || keyValueHeads is null || heads[0] == 0)
        {
            return;
        }

        for (var layer = 0; layer < layers; layer++)
        {
            var (all, shared) = (heads[layer], keyValueHeads[layer]);
            if (shared > 0 && (all < shared || all % shared != 0))
            {
                findings.Add(key("attention.head_count_kv"), $"the value is {shared}, which doesn't divide the {all} heads of layer {layer}");
                return;
            }
        }

        var keyLength = findings.UInt32(metadata, key("attention.key_length")) ?? width / heads[0];
        var valueLength = findings.UInt32(metadata, key("attention.value_length")) ?? width / heads[0];
        var rotated = findings.UInt32(metadata, key("rope.dimension_count")) ?? keyLength;
        findings.Require(keyLength > 0 && valueLength > 0, key("attention.key_length"), "keys or values have no elements");
        findings.Require(rotated % 2 == 0, key("rope.dimension_count"), $"{rotated} dimensions are rotated in pairs, but the number is odd");
        if (EqualHeadLengths.Contains(architecture))
        {
            findings.Require(
                keyLength == valueLength, key("attention.value_length"), $"values have {valueLength} elements and keys {keyLength}; {architecture} needs them equal");
            findings.Require(
                keyLength == rotated, key("rope.dimension_count"), $"the value is {rotated}, but {architecture} rotates all {keyLength} elements of a key");
        }
        else
        {
            findings.Require(rotated <= keyLength || metadata.Contains(key("attention.key_length_mla")), key("rope.dimension_count"), $"the value is {rotated}, but a key has only {keyLength} elements");
        }
    }

    private static void CheckExperts(GgufMetadata metadata, GgufFindings findings, Func<string, string> key, int layers)
    {
        var experts = findings.UInt32(metadata, key("expert_count")) ?? 0;
        var used = (findings.PerLayer(metadata, key("expert_used_count"), layers) ?? [0]).Max();
        var groups = findings.UInt32(metadata, key("expert_group_count")) ?? 0;
        var usedGroups = findings.UInt32(metadata, key("expert_group_used_count")) ?? 0;
        findings.Require(experts <= MaxExperts, key("expert_count"), $"the value is {experts}; at most {MaxExperts} experts are possible");
        findings.Require(
            used <= experts && (experts == 0 || used > 0), key("expert_used_count"), $"the value is {used} of {experts} experts");
        findings.Require(
            groups == 0 || (groups < experts && (groups == 1 || (experts % groups == 0 && usedGroups > 0 && usedGroups < groups))),
            key("expert_group_count"),
            $"{experts} experts can't be used as {usedGroups} of {groups} groups");
    }

    private static void CheckRope(GgufMetadata metadata, GgufFindings findings, Func<string, string> key)
    {
        var scaling = findings.Text(metadata, key("rope.scaling.type"));
        findings.Require(
            scaling is null or "none" or "linear" or "yarn" or "longrope", key("rope.scaling.type"), $"'{scaling}' is not a known kind of scaling");
        foreach (var name in new[] { "rope.freq_base", "rope.scaling.factor" })
        {
            var value = findings.Float32(metadata, key(name));
            findings.Require(value is null or (>= 0 and < float.PositiveInfinity), key(name), $"the value is {value}, but must be a number that is not negative");
        }
    }
}
