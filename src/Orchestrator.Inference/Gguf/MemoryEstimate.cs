namespace Orchestrator.Inference.Gguf;

/// <summary>How a context is going to be used, as far as memory depends on it.</summary>
public sealed record MemoryAssumptions
{
    /// <summary>Bytes of one element of the key-value cache: 2 for f16.</summary>
    public double CacheElementBytes { get; init; } = 2;

    /// <summary>Tokens that are computed at once (llama.cpp's n_ubatch).</summary>
    public int Batch { get; init; } = 512;

    /// <summary>Sequences that the context can hold at once; each has a recurrent state of its own, where a model has one.</summary>
    public int Sequences { get; init; } = 64;

    /// <summary>
    /// Whether layers with a sliding window keep the whole context all the same, which reuse of prefixes needs and
    /// which is llama.cpp's default.
    /// </summary>
    public bool FullSlidingWindow { get; init; } = true;
}

/// <summary>
/// The memory that a model takes at a context, in bytes, computed from its header before anything is loaded. Against what
/// llama.cpp v0.5.0 says that it takes on a CPU, weights, cache and output are exact and compute is 0 to 15 % above.
/// </summary>
/// <param name="Context">Tokens in the key-value cache.</param>
/// <param name="Weights">All tensors.</param>
/// <param name="Cache">Keys and values of the whole context, and the recurrent state of each sequence.</param>
/// <param name="Compute">Activations of one batch, an upper estimate.</param>
/// <param name="Output">
/// The logits that are handed out: one row for each sequence at first, and one for each token of a batch once options
/// are scored, which is what is counted.
/// </param>
public sealed record MemoryEstimate(int Context, long Weights, long Cache, long Compute, long Output)
{
    /// <summary>llama.cpp rounds contexts up to this many cells.</summary>
    internal const int Granularity = 256;

    /// <summary>Everything together.</summary>
    public long Total => Weights + Cache + Compute + Output;
}

/// <summary>What memory depends on in a model: computed once from its header, asked for many contexts.</summary>
internal sealed class MemoryShape
{
    private readonly long _weights;
    private readonly double[] _elementsPerToken;
    private readonly bool[] _windowed;
    private readonly long _window;
    private readonly long _width;
    private readonly long _widest;
    private readonly long _vocabulary;
    private readonly long _stateElements;
    private readonly long _layerStateElements;

    internal MemoryShape(GgufModel model)
    {
        var metadata = model.Metadata;
        string Key(string name) => $"{model.Architecture}.{name}";
        var layers = (int)Math.Clamp(metadata.Integer(Key("block_count")) ?? 0, 0, 512);
        _width = metadata.Integer(Key("embedding_length")) ?? 0;
        var heads = PerLayer(metadata, Key("attention.head_count"), layers) ?? new long[layers];
        var keyValueHeads = PerLayer(metadata, Key("attention.head_count_kv"), layers) ?? heads;
        var derived = layers > 0 && heads[0] > 0 ? _width / heads[0] : 0;
        var keyLength = metadata.Integer(Key("attention.key_length")) ?? derived;
        var valueLength = metadata.Integer(Key("attention.value_length")) ?? derived;

        _weights = model.Tensors.Sum(tensor => tensor.Bytes);
        var recurrent = Recurrence.Of(model, _width, keyValueHeads);
        _stateElements = recurrent.StateElements;
        _layerStateElements = recurrent.LayerElements;
        _elementsPerToken = [.. keyValueHeads.Select((count, layer) => recurrent.HasCache(layer) ? (double)count * (keyLength + valueLength) : 0)];
        _window = metadata.Integer(Key("attention.sliding_window")) ?? 0;
        _windowed = Windowed(metadata, Key("attention.sliding_window_pattern"), model.Architecture, layers);
        var feedForward = (PerLayer(metadata, Key("feed_forward_length"), layers) ?? []).DefaultIfEmpty(0).Max();
        var vocabulary = metadata.Strings("tokenizer.ggml.tokens")?.Count ?? 0;
        _vocabulary = vocabulary;
        _widest = Math.Max(vocabulary, (3 * feedForward) + (4 * _width));
    }

    internal MemoryEstimate At(long context, MemoryAssumptions assumptions)
    {
        var cells = GgufFile.Align(Math.Max(context, 1), MemoryEstimate.Granularity);
        var windowCells = assumptions.FullSlidingWindow || _window == 0
            ? cells
            : Math.Min(cells, GgufFile.Align(_window + assumptions.Batch, MemoryEstimate.Granularity));
        var cache = 0d;
        for (var layer = 0; layer < _elementsPerToken.Length; layer++)
        {
            cache += _elementsPerToken[layer] * assumptions.CacheElementBytes * (_windowed[layer] ? windowCells : cells);
        }

        var states = _stateElements * sizeof(float) * assumptions.Sequences;

        // A mask for the layers that see everything, another for those that see a window, and the states of those who
        // share a batch, of one layer.
        var masks = _windowed.Contains(true) && _windowed.Contains(false) ? 2 : 1;
        var compute = ((long)assumptions.Batch * ((4 * _widest) + (16 * _width) + (2 * masks * cells)))
            + (_layerStateElements * sizeof(float) * Math.Min(assumptions.Batch, assumptions.Sequences));
        var output = _vocabulary * sizeof(float) * Math.Max(assumptions.Batch, assumptions.Sequences);
        return new MemoryEstimate((int)Math.Min(context, int.MaxValue), _weights, (long)cache + states, compute, output);
    }

    /// <summary>Layers that look back over a window only: from the file where it says, else by the architecture's habit.</summary>
    private static bool[] Windowed(GgufMetadata metadata, string key, string architecture, int layers)
    {
        if (metadata.TryGet(key, out var pattern) && pattern.Content is bool[] flags && flags.Length == layers)
        {
            return flags;
        }

        var period = pattern?.AsInteger ?? architecture switch
        {
            "gemma2" or "gpt-oss" => 2,
            "gemma3" => 6,
            "cohere2" or "llama4" or "exaone4" => 4,
            _ => 0,
        };
        return [.. Enumerable.Range(0, layers).Select(layer => period > 0 && layer % period < period - 1)];
    }

    private static long[]? PerLayer(GgufMetadata metadata, string key, int layers)
    {
        if (!metadata.TryGet(key, out var value))
        {
            return null;
        }

        return value.AsInteger is { } all
            ? [.. Enumerable.Repeat(all, layers)]
            : value.Content is Array array && array.Length == layers
                ? [.. array.Cast<object>().Select(element => GgufValue.Of(element).AsInteger ?? 0)]
                : null;
    }
}
