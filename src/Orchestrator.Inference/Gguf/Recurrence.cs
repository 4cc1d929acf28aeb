namespace Orchestrator.Inference.Gguf;

/// <summary>
/// The state that recurrent layers keep of each sequence, in place of keys and values: Mamba's (Gu and Dao, 2023), RWKV's,
/// short convolutions', and those of models that mix such layers with attention. The shapes are llama.cpp's, and the
/// elements are 32-bit.
/// </summary>
internal sealed class Recurrence
{
    private readonly bool[] _recurrent;
    private readonly bool _cacheEverywhere;

    private Recurrence(bool[] recurrent, bool cacheEverywhere, long layerElements)
    {
        _recurrent = recurrent;
        _cacheEverywhere = cacheEverywhere;
        LayerElements = layerElements;
    }

    /// <summary>Elements of one recurrent layer's state for one sequence.</summary>
    internal long LayerElements { get; }

    /// <summary>Elements of all recurrent layers' states for one sequence.</summary>
    internal long StateElements => LayerElements * _recurrent.Count(layer => layer);

    /// <summary>Whether a layer keeps keys and values.</summary>
    internal bool HasCache(int layer) => _cacheEverywhere || !_recurrent[layer];

    /// <summary>What a model's layers keep.</summary>
    /// <param name="model">The model's header.</param>
    /// <param name="width">Width of the residual stream.</param>
    /// <param name="keyValueHeads">Heads of keys and values in each layer; 0 where a layer has no attention.</param>
    internal static Recurrence Of(GgufModel model, long width, long[] keyValueHeads)
    {
        long Value(string name) => Math.Max(0, model.Metadata.Integer($"{model.Architecture}.{name}") ?? 0);
        var layers = keyValueHeads.Length;
        var elements = ElementsOf(Value, width);
        if (elements == 0)
        {
            return new Recurrence(new bool[layers], cacheEverywhere: true, 0);
        }

        // A hybrid names its attention layers by their heads, or by every how many there is one; else all are recurrent.
        var interval = Value("full_attention_interval");
        var attention = keyValueHeads.Any(heads => heads > 0);
        var zero = keyValueHeads.Any(heads => heads == 0);
        var both = attention && !zero && interval == 0;
        var recurrent = Enumerable.Range(0, layers)
            .Select(layer => both || (interval > 0 ? (layer + 1) % interval != 0 : keyValueHeads[layer] == 0))
            .ToArray();
        return new Recurrence(recurrent, both, elements);
    }

    private static long ElementsOf(Func<string, long> value, long width)
    {
        if (value("wkv.head_size") is > 0 and var head)
        {
            return width * (Math.Max(2, value("token_shift_count")) + head);
        }

        if (value("shortconv.l_cache") is > 0 and var window)
        {
            return width * (window - 1);
        }

        var (inner, state) = (value("ssm.inner_size"), value("ssm.state_size"));
        return (Math.Max(0, value("ssm.conv_kernel") - 1) * (inner + (2 * value("ssm.group_count") * state))) + (inner * state);
    }
}
