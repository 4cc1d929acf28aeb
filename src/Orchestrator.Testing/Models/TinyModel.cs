using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>
/// Generates a small model of the llama architecture with random weights, a working tokenizer and a chat template.
/// llama.cpp loads it and generates from it like from any other, so everything but the sense of what is written
/// can be tested without a download.
/// </summary>
public static class TinyModel
{
    private static readonly Lazy<string> Shared = new(() =>
    {
        // Named by the build that wrote it: a file that another build left is not used.
        var version = typeof(TinyModel).Module.ModuleVersionId;
        var path = Path.Combine(AppContext.BaseDirectory, $"tiny-{version:N}.gguf");
        if (!File.Exists(path))
        {
            // Tests may run in several processes over one folder.
            var part = $"{path}.{Environment.ProcessId}";
            Create(part);
            File.Move(part, path, overwrite: true);
        }

        return path;
    });

    /// <summary>The path of a model with the default options, generated once. Tests that change the file must make their own.</summary>
    public static string SharedPath => Shared.Value;

    /// <summary>Writes a model.</summary>
    /// <param name="path">Where to; a file that exists is replaced.</param>
    /// <param name="options">Its shape, or null for the default.</param>
    /// <returns>The path.</returns>
    public static string Create(string path, TinyModelOptions? options = null)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        Create(stream, options);
        return path;
    }

    /// <summary>Writes a model to a stream.</summary>
    /// <param name="stream">A stream that knows its position.</param>
    /// <param name="options">Its shape, or null for the default.</param>
    /// <exception cref="ArgumentException">The options don't fit together.</exception>
    public static void Create(Stream stream, TinyModelOptions? options = null)
    {
        options ??= new TinyModelOptions();
        options.Validate();
        var writer = new GgufWriter(Describe(options));
        AddTensors(writer, options);
        writer.Write(stream);
    }

    /// <summary>The metadata of a model, for tests that write a broken one.</summary>
    /// <param name="options">The model's shape.</param>
    public static GgufMetadata Describe(TinyModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var vocabulary = TinyVocabulary.OfSize(options.Vocabulary, options.ControlTokens);
        var metadata = new GgufMetadata
        {
            ["general.architecture"] = "llama",
            ["general.type"] = "model",
            ["general.name"] = options.Name,
            ["general.license"] = "mit",
            ["general.file_type"] = options.Type == GgmlType.F32 ? 0u : 7u,
            ["llama.block_count"] = (uint)options.Layers,
            ["llama.context_length"] = (uint)options.Context,
            ["llama.embedding_length"] = (uint)options.Width,
            ["llama.feed_forward_length"] = (uint)options.FeedForward,
            ["llama.attention.head_count"] = (uint)options.Heads,
            ["llama.attention.head_count_kv"] = (uint)options.KeyValueHeads,
            ["llama.attention.layer_norm_rms_epsilon"] = 1e-5f,
            ["llama.rope.dimension_count"] = (uint)(options.Width / options.Heads),
            ["llama.rope.freq_base"] = 10_000f,
            ["llama.vocab_size"] = (uint)options.Vocabulary,
            ["tokenizer.ggml.model"] = "gpt2",
            ["tokenizer.ggml.pre"] = "smollm",
            ["tokenizer.ggml.tokens"] = vocabulary.Tokens.ToArray(),
            ["tokenizer.ggml.token_type"] = vocabulary.Types.ToArray(),
            ["tokenizer.ggml.merges"] = vocabulary.Merges.ToArray(),
            ["tokenizer.ggml.bos_token_id"] = (uint)TinyVocabulary.MessageStart,
            ["tokenizer.ggml.eos_token_id"] = (uint)TinyVocabulary.MessageEnd,
            ["tokenizer.ggml.unknown_token_id"] = (uint)TinyVocabulary.EndOfText,
            ["tokenizer.ggml.padding_token_id"] = (uint)TinyVocabulary.MessageEnd,
            ["tokenizer.ggml.add_bos_token"] = false,
            ["tokenizer.ggml.add_space_prefix"] = false,
        };
        if (options.ChatTemplate is { } template)
        {
            metadata["tokenizer.chat_template"] = template;
        }

        return metadata;
    }

    /// <summary>Adds a model's tensors, for tests that write a broken one.</summary>
    /// <param name="writer">The file.</param>
    /// <param name="options">The model's shape.</param>
    public static void AddTensors(GgufWriter writer, TinyModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(options);
        var random = new RandomWeights((ulong)options.Seed);
        long width = options.Width;
        long keyWidth = width / options.Heads * options.KeyValueHeads;
        long hidden = options.FeedForward;

        Matrix("token_embd", width, options.Vocabulary);
        for (var layer = 0; layer < options.Layers; layer++)
        {
            Norm($"blk.{layer}.attn_norm");
            Matrix($"blk.{layer}.attn_q", width, width);
            Matrix($"blk.{layer}.attn_k", width, keyWidth);
            Matrix($"blk.{layer}.attn_v", width, keyWidth);
            Matrix($"blk.{layer}.attn_output", width, width);
            Norm($"blk.{layer}.ffn_norm");
            Matrix($"blk.{layer}.ffn_gate", width, hidden);
            Matrix($"blk.{layer}.ffn_up", width, hidden);
            Matrix($"blk.{layer}.ffn_down", hidden, width);
        }

        Norm("output_norm");
        if (!options.TiedEmbeddings)
        {
            Matrix("output", width, options.Vocabulary);
        }

        void Norm(string name)
        {
            var ones = new float[width];
            Array.Fill(ones, 1f);
            writer.Add($"{name}.weight", [width], ones);
        }

        // Deviations keep activations near one; logits get a deviation of about 3, so that answers vary by prompt.
        void Matrix(string name, long columns, long rows)
        {
            var deviation = (name is "output" ? 3 : name is "token_embd" && !options.TiedEmbeddings ? 8 : 1) / Math.Sqrt(columns);
            writer.Add($"{name}.weight", [columns, rows], options.Type, stream => random.Write(stream, options.Type, columns * rows, deviation));
        }
    }
}
