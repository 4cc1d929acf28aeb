using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>How many tensors, and how many bytes of them, are stored in one type.</summary>
/// <param name="Type">The type.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record QuantizationShare(GgmlType Type, int Tensors, long Bytes);

/// <summary>What a person wants to know about a model before loading it, from its header alone.</summary>
public sealed class ModelCard
{
    private readonly MemoryShape _memory;

    private ModelCard(GgufModel model)
    {
        var metadata = model.Metadata;
        string Key(string name) => $"{model.Architecture}.{name}";
        long? PerLayer(string name) => metadata.TryGet(Key(name), out var value)
            ? value.AsInteger ?? (value.Content is Array { Length: > 0 } array ? array.Cast<object>().Max(e => GgufValue.Of(e).AsInteger ?? 0) : null)
            : null;

        Path = model.Path;
        Parts = model.Parts.Count;
        FileBytes = model.Length;
        Name = metadata.Text("general.name") ?? System.IO.Path.GetFileNameWithoutExtension(model.Path);
        Architecture = model.Architecture;
        Licence = metadata.Text("general.license");
        Parameters = model.Tensors.Sum(tensor => tensor.Elements);
        Quantization =
        [
            .. model.Tensors.GroupBy(tensor => tensor.Type)
                .Select(group => new QuantizationShare(group.Key, group.Count(), group.Sum(tensor => tensor.Bytes)))
                .OrderByDescending(share => share.Bytes),
        ];
        Context = (int)Math.Clamp(metadata.Integer(Key("context_length")) ?? 0, 0, int.MaxValue);
        Layers = (int)(metadata.Integer(Key("block_count")) ?? 0);
        Width = (int)(metadata.Integer(Key("embedding_length")) ?? 0);
        Heads = (int)(PerLayer("attention.head_count") ?? 0);
        KeyValueHeads = (int)(PerLayer("attention.head_count_kv") ?? Heads);
        SlidingWindow = (int?)metadata.Integer(Key("attention.sliding_window"));
        Experts = (int)(metadata.Integer(Key("expert_count")) ?? 0);
        Vocabulary = metadata.Strings("tokenizer.ggml.tokens")?.Count ?? 0;
        ChatTemplate = metadata.Text("tokenizer.chat_template");
        TiedEmbeddings = model.Tensors.All(tensor => tensor.Name != "output.weight");
        _memory = new MemoryShape(model);
    }

    /// <summary>The file, or the first part.</summary>
    public string Path { get; }

    /// <summary>Number of files.</summary>
    public int Parts { get; }

    /// <summary>Size of all files in bytes.</summary>
    public long FileBytes { get; }

    /// <summary>What the model calls itself, or its file's name.</summary>
    public string Name { get; }

    /// <summary>Such as <c>llama</c> or <c>qwen3</c>.</summary>
    public string Architecture { get; }

    /// <summary>The licence's identifier, where the file names one.</summary>
    public string? Licence { get; }

    /// <summary>Number of weights.</summary>
    public long Parameters { get; }

    /// <summary>In which types the weights are stored, most bytes first.</summary>
    public IReadOnlyList<QuantizationShare> Quantization { get; }

    /// <summary>The context in tokens that the model was trained for.</summary>
    public int Context { get; }

    /// <summary>Number of transformer blocks.</summary>
    public int Layers { get; }

    /// <summary>Width of the residual stream.</summary>
    public int Width { get; }

    /// <summary>Attention heads, the largest number of any layer.</summary>
    public int Heads { get; }

    /// <summary>Key and value heads, the largest number of any layer.</summary>
    public int KeyValueHeads { get; }

    /// <summary>How many tokens windowed layers look back over, or null where all layers see everything.</summary>
    public int? SlidingWindow { get; }

    /// <summary>Experts in each layer; 0 for a dense model.</summary>
    public int Experts { get; }

    /// <summary>Number of tokens.</summary>
    public int Vocabulary { get; }

    /// <summary>The Jinja chat template, or null where the file has none.</summary>
    public string? ChatTemplate { get; }

    /// <summary>Whether the output layer is the embedding.</summary>
    public bool TiedEmbeddings { get; }

    /// <summary>Describes a model.</summary>
    /// <param name="model">Its header.</param>
    public static ModelCard Of(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ModelCard(model);
    }

    /// <summary>The memory that the model takes at a context.</summary>
    /// <param name="context">Tokens.</param>
    /// <param name="assumptions">How the context is used, or null for the defaults.</param>
    public MemoryEstimate MemoryAt(int context, MemoryAssumptions? assumptions = null) =>
        _memory.At(context, assumptions ?? new MemoryAssumptions());

    /// <summary>The largest context that fits in memory, up to the one that the model was trained for.</summary>
    /// <param name="bytes">Memory at hand.</param>
    /// <param name="assumptions">How the context is used, or null for the defaults.</param>
    /// <returns>Tokens, a multiple of 256 or the model's own context; 0 where not even 256 fit.</returns>
    public int LargestContext(long bytes, MemoryAssumptions? assumptions = null)
    {
        var (fits, tooLarge) = (0, (Context / MemoryEstimate.Granularity) + 1);
        if (MemoryAt(Context, assumptions).Total <= bytes)
        {
            return Context;
        }

        while (tooLarge - fits > 1)
        {
            var middle = fits + ((tooLarge - fits) / 2);
            (fits, tooLarge) = MemoryAt(middle * MemoryEstimate.Granularity, assumptions).Total <= bytes ? (middle, tooLarge) : (fits, middle);
        }

        return fits * MemoryEstimate.Granularity;
    }

    /// <summary>Refuses a load that would not fit.</summary>
    /// <param name="context">Tokens asked for.</param>
    /// <param name="available">Bytes of memory at hand.</param>
    /// <param name="assumptions">How the context is used, or null for the defaults.</param>
    /// <exception cref="OrchestratorException">It doesn't fit; the error names the context that would.</exception>
    public void RequireMemory(int context, long available, MemoryAssumptions? assumptions = null)
    {
        var needed = MemoryAt(context, assumptions);
        if (needed.Total <= available)
        {
            return;
        }

        var largest = LargestContext(available, assumptions);
        throw new OrchestratorException(
            ErrorKind.Model,
            $"{Path} takes {ByteSize.Format(needed.Total)} at a context of {context} tokens " +
            $"({ByteSize.Format(needed.Weights)} weights, {ByteSize.Format(needed.Cache)} cache, {ByteSize.Format(needed.Compute)} compute, {ByteSize.Format(needed.Output)} output), " +
            $"but {ByteSize.Format(available)} are available.",
            largest > 0
                ? $"Ask for a context of at most {largest} tokens, or free memory."
                : "Free memory, or use a smaller model: see `orchestrator model list`.");
    }
}
