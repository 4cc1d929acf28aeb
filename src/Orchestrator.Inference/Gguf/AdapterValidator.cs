namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Decides whether a LoRA adapter may be given to the native loader with a model. Beyond what the loader refuses
/// itself, it refuses what llama.cpp v0.5.0 accepts and then gets wrong: a scale that silently becomes one, norms
/// that are silently left out, and an embedding update on a tied model, which ends the process.
/// </summary>
public static class AdapterValidator
{
    internal const string SuffixA = ".lora_a";
    internal const string SuffixB = ".lora_b";
    internal const string InvocationKey = "adapter.alora.invocation_tokens";
    private const string EmbeddingName = "token_embd.weight";

    /// <summary>Finds everything that is wrong with an adapter for a model.</summary>
    /// <param name="adapter">The adapter's header.</param>
    /// <param name="model">The model's header.</param>
    /// <returns>Nothing where the adapter may be loaded.</returns>
    public static IReadOnlyList<GgufProblem> Check(GgufFile adapter, GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(model);
        var findings = new GgufFindings(adapter.Path);
        LayoutRules.Check(adapter, findings);
        CheckMetadata(adapter.Metadata, model, findings);
        CheckTensors(adapter, model, findings);
        return findings.Problems;
    }

    /// <summary>Whether a file says that it is an adapter, not a model.</summary>
    internal static bool IsAdapter(GgufFile file) => file.Metadata.Text("general.type") == "adapter";

    /// <summary>Refuses what is wrong with an adapter whatever model it is for.</summary>
    internal static void ValidateAlone(GgufFile adapter)
    {
        var findings = new GgufFindings(adapter.Path);
        LayoutRules.Check(adapter, findings);
        var kind = findings.Text(adapter.Metadata, "adapter.type");
        findings.Require(kind == "lora", "adapter.type", $"the value is '{kind}', but must be 'lora'");
        _ = findings.Text(adapter.Metadata, "general.architecture");
        findings.Require(adapter.Tensors.Count > 0, "tensors", "the adapter holds none");
        if (findings.Problems.Count > 0)
        {
            throw GgufError.Of(findings.Problems, "Export the adapter again.");
        }
    }

    /// <summary>The rank of an update, from its second half.</summary>
    internal static long Rank(GgufTensor half) => half.Dimensions[0];

    private static void CheckMetadata(GgufMetadata metadata, GgufModel model, GgufFindings findings)
    {
        var type = findings.Text(metadata, "general.type");
        findings.Require(type == "adapter", "general.type", $"the value is '{type}', but must be 'adapter'");
        var kind = findings.Text(metadata, "adapter.type");
        findings.Require(kind == "lora", "adapter.type", $"the value is '{kind}', but must be 'lora'");
        var architecture = findings.Text(metadata, "general.architecture");
        findings.Require(
            architecture == model.Architecture,
            "general.architecture",
            $"the adapter is for '{architecture}'{BaseName(metadata)}, but {model.Path} is '{model.Architecture}' ({ModelName(model)})");

        const string alphaKey = "adapter.lora.alpha";
        findings.Require(metadata.Contains(alphaKey), alphaKey, "the key is missing, and the loader would silently use a scale of 1");
        var alpha = findings.Float32(metadata, alphaKey);
        findings.Require(alpha is null or (> 0 and < float.PositiveInfinity), alphaKey, $"the value is {alpha}, but must be positive: at 0 the loader would silently use a scale of 1");
        if (metadata.TryGet(InvocationKey, out var tokens))
        {
            if (tokens.ElementType != GgufValueType.UInt32 || tokens.Content is not uint[] { Length: > 0 } ids)
            {
                findings.Add(InvocationKey, $"the value is {tokens}, but must be arr[u32] with at least one token");
            }
            else if (model.Metadata.Strings("tokenizer.ggml.tokens") is { } vocabulary)
            {
                findings.Require(ids.All(id => id < vocabulary.Count), InvocationKey, $"an id is out of range: the model has {vocabulary.Count} tokens");
            }
        }
    }

    private static void CheckTensors(GgufFile adapter, GgufModel model, GgufFindings findings)
    {
        var bases = model.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var halves = adapter.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        findings.Require(halves.Count > 0, "tensors", "the adapter holds none");
        foreach (var tensor in adapter.Tensors)
        {
            var where = $"tensor '{tensor.Name}'";
            if (tensor.Name.EndsWith(SuffixA, StringComparison.Ordinal))
            {
                var name = tensor.Name[..^SuffixA.Length];
                if (!halves.TryGetValue(name + SuffixB, out var second))
                {
                    findings.Add(where, $"its other half '{name}{SuffixB}' is missing");
                }
                else if (!bases.TryGetValue(name, out var target))
                {
                    findings.Add(where, $"{model.Path} ({ModelName(model)}) has no tensor '{name}': the adapter was made for another model{BaseName(adapter.Metadata)}");
                }
                else
                {
                    CheckPair(tensor, second, target, tied: !bases.ContainsKey("output.weight"), model, adapter, findings);
                }
            }
            else if (tensor.Name.EndsWith(SuffixB, StringComparison.Ordinal))
            {
                var first = tensor.Name[..^SuffixB.Length] + SuffixA;
                findings.Require(halves.ContainsKey(first), where, $"its other half '{first}' is missing");
            }
            else
            {
                findings.Add(where, tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal)
                    ? "the loader would silently leave this norm out"
                    : $"a name must end in {SuffixA} or {SuffixB}");
            }
        }
    }

    private static void CheckPair(
        GgufTensor first, GgufTensor second, GgufTensor target, bool tied, GgufModel model, GgufFile adapter, GgufFindings findings)
    {
        var where = $"tensor '{first.Name}'";
        if (target.Name == EmbeddingName && tied)
        {
            findings.Add(where, $"{model.Path} uses its embedding as its output layer too, and an adapter on it would end the process");
            return;
        }

        if (target.Dimensions.Count < 2)
        {
            findings.Add(where, $"'{target.Name}' is no matrix, so the update would silently be left out");
            return;
        }

        // The embedding is looked up, not multiplied with, so its first half is stored transposed.
        var (columns, rows) = (target.Dimensions[0], target.Dimensions[1]);
        var rank = Rank(second);
        long[] wantedFirst = target.Name == EmbeddingName ? [rank, rows] : [columns, rank];
        long[] wantedSecond = target.Name == EmbeddingName ? [rank, columns] : [rank, rows];
        if (!Fits(first, wantedFirst) || !Fits(second, wantedSecond))
        {
            findings.Add(
                where,
                $"halves of {first.Shape} and {second.Shape} don't make an update of '{target.Name}' {target.Shape} of {model.Path} ({ModelName(model)}): the adapter was made for another model{BaseName(adapter.Metadata)}");
        }

        findings.Require(first.Type.IsWeight() && second.Type.IsWeight(), where, $"halves of {first.Type} and {second.Type} can't be multiplied with");
    }

    private static bool Fits(GgufTensor half, long[] wanted) =>
        half.Dimensions.Count >= 2 && half.Dimensions[0] == wanted[0] && half.Dimensions[1] == wanted[1];

    private static string BaseName(GgufMetadata adapter) =>
        adapter.Text("general.base_model.0.name") is { } name ? $", '{name}'" : "";

    private static string ModelName(GgufModel model) => model.Metadata.Text("general.name") ?? "unnamed";
}
