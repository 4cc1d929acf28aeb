namespace Orchestrator.Inference.Gguf;

/// <summary>Whether a file's tensors lie where the loader expects them, and within the file.</summary>
internal static class LayoutRules
{
    internal static void Check(GgufFile file, GgufFindings findings)
    {
        var expected = 0L;
        foreach (var tensor in file.Tensors)
        {
            if (tensor.Offset != expected)
            {
                findings.Add(file.Path, $"tensor '{tensor.Name}'", $"it lies at {tensor.Offset} in the data section, but {expected} follows from the tensors before it");
                return;
            }

            if (tensor.Bytes > file.Length - file.DataOffset - tensor.Offset)
            {
                var end = file.DataOffset + tensor.Offset + tensor.Bytes;
                findings.Add(file.Path, $"tensor '{tensor.Name}'", $"it ends at offset {end}, but the file has only {file.Length} bytes: it is truncated");
                return;
            }

            expected += GgufFile.Align(tensor.Bytes, file.Alignment);
        }
    }
}

/// <summary>Whether the parts of a split model belong together.</summary>
internal static class PartRules
{
    internal static void Check(GgufModel model, GgufFindings findings)
    {
        if (!model.Metadata.Contains("split.count"))
        {
            return;
        }

        findings.Scalar<ushort>(model.Metadata, "split.count", GgufValueType.UInt16);
        if (model.Parts.Count == 1)
        {
            return;
        }

        for (var i = 0; i < model.Parts.Count; i++)
        {
            var part = model.Parts[i];
            if (!part.Metadata.TryGet("split.no", out var number) || number.Content is not ushort no || no != i)
            {
                findings.Add(part.Path, "split.no", $"the value is {number?.ToString() ?? "missing"}, but must be {i} as a u16");
            }
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in model.Parts)
        {
            foreach (var tensor in part.Tensors.Where(tensor => !names.Add(tensor.Name)))
            {
                findings.Add(part.Path, $"tensor '{tensor.Name}'", "an earlier part has a tensor of the same name");
            }
        }

        var claimed = findings.Scalar<int>(model.Metadata, "split.tensors.count", GgufValueType.Int32);
        findings.Require(claimed is null || claimed == names.Count, "split.tensors.count", $"the value is {claimed}, but the parts hold {names.Count} tensors");
    }
}
