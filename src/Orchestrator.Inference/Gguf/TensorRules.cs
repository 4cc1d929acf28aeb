namespace Orchestrator.Inference.Gguf;

/// <summary>Whether tensors have types that kernels exist for, and the shapes that the metadata promises.</summary>
internal static class TensorRules
{
    internal static void Check(GgufModel model, GgufFindings findings)
    {
        var any = false;
        foreach (var tensor in model.Tensors)
        {
            any = true;
            if (NeedsF32(tensor))
            {
                findings.Require(tensor.Type == GgmlType.F32, $"tensor '{tensor.Name}'", $"it is {tensor.Type}, but norms and biases must be F32");
            }
            else if (tensor.Dimensions.Count > 1 && tensor.Name.EndsWith(".weight", StringComparison.Ordinal) && !IsTable(tensor))
            {
                findings.Require(tensor.Type.IsWeight(), $"tensor '{tensor.Name}'", $"it is {tensor.Type}, which no matrix may be");
            }
        }

        findings.Require(any, "tensors", "the file holds none: it may be a vocabulary only");
        CheckEmbedding(model, findings);
    }

    private static bool NeedsF32(GgufTensor tensor) =>
        tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal) ||
        tensor.Name.EndsWith(".bias", StringComparison.Ordinal) ||
        tensor.Name.StartsWith("rope_f", StringComparison.Ordinal);

    /// <summary>Expert tables by token id are read, not multiplied with.</summary>
    private static bool IsTable(GgufTensor tensor) => tensor.Name.Contains("tid2eid", StringComparison.Ordinal);

    private static void CheckEmbedding(GgufModel model, GgufFindings findings)
    {
        var width = model.Metadata.Integer($"{model.Architecture}.embedding_length");
        var tokens = model.Metadata.Strings("tokenizer.ggml.tokens")?.Count;
        foreach (var name in new[] { "token_embd.weight", "output.weight" })
        {
            if (model.Tensors.FirstOrDefault(tensor => tensor.Name == name) is { } tensor)
            {
                findings.Require(
                    tensor.Dimensions.Count == 2 && (width is null || tensor.Dimensions[0] == width) && (tokens is null || tensor.Dimensions[1] == tokens),
                    $"tensor '{name}'",
                    $"its shape is {tensor.Shape}, but the metadata promises [{width}, {tokens}]");
            }
        }
    }
}
