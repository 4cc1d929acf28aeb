using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>
/// The tensors of a generated model, in llama.cpp's layout, and what its header says of them. Deviations keep
/// activations near one; logits get a deviation of about 3, so that answers vary by prompt.
/// </summary>
internal sealed class TinyLayers(GgufWriter writer, TinyModelOptions options)
{
    private const int StateSize = 16;
    private const int TimeStepRank = 4;
    private const int Kernel = 4;
    private const int ShortKernel = 3;

    private readonly RandomWeights _random = new((ulong)options.Seed);
    private readonly long _width = options.Width;
    private readonly long _head = options.Width / options.Heads;

    /// <summary>llama.cpp's name of an architecture.</summary>
    internal static string NameOf(TinyArchitecture architecture) => architecture switch
    {
        TinyArchitecture.SlidingWindow => "gemma3",
        TinyArchitecture.Recurrent => "mamba",
        TinyArchitecture.Hybrid => "lfm2",
        _ => "llama",
    };

    /// <summary>Adds what the architecture's own keys say.</summary>
    internal static void Describe(GgufMetadata metadata, TinyModelOptions options)
    {
        var name = NameOf(options.Architecture);
        void Set(string key, GgufValue value) => metadata[$"{name}.{key}"] = value;
        Set("block_count", (uint)options.Layers);
        Set("context_length", (uint)options.Context);
        Set("embedding_length", (uint)options.Width);
        Set("attention.layer_norm_rms_epsilon", 1e-5f);
        Set("vocab_size", (uint)options.Vocabulary);
        if (options.Architecture == TinyArchitecture.Recurrent)
        {
            Set("feed_forward_length", 0u);
            Set("attention.head_count", 0u);
            Set("ssm.conv_kernel", (uint)Kernel);
            Set("ssm.inner_size", (uint)(2 * options.Width));
            Set("ssm.state_size", (uint)StateSize);
            Set("ssm.time_step_rank", (uint)TimeStepRank);
            return;
        }

        Set("feed_forward_length", (uint)options.FeedForward);
        Set("attention.head_count", (uint)options.Heads);
        Set("attention.head_count_kv", (uint)options.KeyValueHeads);
        Set("rope.dimension_count", (uint)(options.Width / options.Heads));
        Set("rope.freq_base", 10_000f);
        switch (options.Architecture)
        {
            case TinyArchitecture.SlidingWindow:
                Set("attention.sliding_window", (uint)options.Window);
                Set("attention.sliding_window_pattern", 2u);
                Set("attention.key_length", (uint)(options.Width / options.Heads));
                Set("attention.value_length", (uint)(options.Width / options.Heads));
                break;
            case TinyArchitecture.Hybrid:
                Set("attention.head_count_kv", Enumerable.Range(0, options.Layers).Select(i => HasAttention(options, i) ? options.KeyValueHeads : 0).ToArray());
                Set("shortconv.l_cache", (uint)ShortKernel);
                break;
            default:
                break;
        }
    }

    /// <summary>Adds all tensors.</summary>
    internal void Add()
    {
        var gemma = options.Architecture == TinyArchitecture.SlidingWindow;

        // Gemma multiplies its embeddings by the root of the width.
        Matrix("token_embd", _width, options.Vocabulary, options.TiedEmbeddings || gemma ? 1 : 8);
        for (var layer = 0; layer < options.Layers; layer++)
        {
            var block = $"blk.{layer}.";
            switch (options.Architecture)
            {
                case TinyArchitecture.Recurrent:
                    AddRecurrent(block);
                    break;
                case TinyArchitecture.Hybrid when !HasAttention(options, layer):
                    AddConvolution(block);
                    AddFeedForward(block);
                    break;
                default:
                    AddAttention(block);
                    AddFeedForward(block);
                    break;
            }
        }

        Constant(options.Architecture == TinyArchitecture.Hybrid ? "token_embd_norm.weight" : "output_norm.weight", 1, _width);
        if (!options.TiedEmbeddings)
        {
            Matrix("output", _width, options.Vocabulary, 3);
        }
    }

    private static bool HasAttention(TinyModelOptions options, int layer) =>
        options.Architecture != TinyArchitecture.Hybrid || layer % 2 == 1;

    private void AddAttention(string block)
    {
        var keyWidth = _head * options.KeyValueHeads;
        Constant(block + "attn_norm.weight", 1, _width);
        Matrix(block + "attn_q", _width, _width);
        Matrix(block + "attn_k", _width, keyWidth);
        Matrix(block + "attn_v", _width, keyWidth);
        Matrix(block + "attn_output", _width, _width);
        if (options.Architecture != TinyArchitecture.Attention)
        {
            Constant(block + "attn_q_norm.weight", 1, _head);
            Constant(block + "attn_k_norm.weight", 1, _head);
        }

        if (options.Architecture == TinyArchitecture.SlidingWindow)
        {
            Constant(block + "post_attention_norm.weight", 1, _width);
            Constant(block + "post_ffw_norm.weight", 1, _width);
        }
    }

    private void AddConvolution(string block)
    {
        Constant(block + "attn_norm.weight", 1, _width);
        Matrix(block + "shortconv.in_proj", _width, 3 * _width);
        Small(block + "shortconv.conv.weight", ShortKernel, _width);
        Matrix(block + "shortconv.out_proj", _width, _width);
    }

    private void AddRecurrent(string block)
    {
        var inner = 2 * _width;
        Constant(block + "attn_norm.weight", 1, _width);
        Matrix(block + "ssm_in", _width, 2 * inner);
        Small(block + "ssm_conv1d.weight", Kernel, inner);
        Constant(block + "ssm_conv1d.bias", 0, inner);
        Matrix(block + "ssm_x", inner, TimeStepRank + (2 * StateSize));
        Small(block + "ssm_dt.weight", TimeStepRank, inner);

        // A time step of about an eighth, and decay rates of 1 to the state's size, as Mamba begins its training with:
        // the state remembers the last few tokens well and those before them a little.
        Constant(block + "ssm_dt.bias", -2, inner);
        var decay = new float[StateSize * inner];
        for (var i = 0; i < decay.Length; i++)
        {
            decay[i] = -1 - (i % StateSize);
        }

        writer.Add(block + "ssm_a", [StateSize, inner], decay);
        Constant(block + "ssm_d", 1, inner);
        Matrix(block + "ssm_out", inner, _width);
    }

    private void AddFeedForward(string block)
    {
        Constant(block + "ffn_norm.weight", 1, _width);
        Matrix(block + "ffn_gate", _width, options.FeedForward);
        Matrix(block + "ffn_up", _width, options.FeedForward);
        Matrix(block + "ffn_down", options.FeedForward, _width);
    }

    private void Constant(string name, float value, long count)
    {
        var values = new float[count];
        Array.Fill(values, value);
        writer.Add(name, [count], values);
    }

    /// <summary>A matrix whose rows are too short to be quantised.</summary>
    private void Small(string name, long columns, long rows) =>
        writer.Add(name, [columns, rows], _random.Normal(columns * rows, 1 / Math.Sqrt(columns)));

    private void Matrix(string name, long columns, long rows, double deviation = 1) =>
        writer.Add($"{name}.weight", [columns, rows], options.Type, stream => _random.Write(stream, options.Type, columns * rows, deviation / Math.Sqrt(columns)));
}
