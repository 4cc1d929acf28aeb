using System.Collections.Concurrent;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>
/// Generates a small model with random weights, a working tokenizer and a chat template.
/// llama.cpp loads it and generates from it like from any other, so everything but the sense of what is written
/// can be tested without a download.
/// </summary>
public static class TinyModel
{
    private static readonly ConcurrentDictionary<TinyArchitecture, Lazy<string>> Shared = new();

    /// <summary>The path of a model with the default options, generated once. Tests that change the file must make their own.</summary>
    public static string SharedPath => SharedPathOf(TinyArchitecture.Attention);

    /// <summary>The path of a model with the default options but its architecture, generated once.</summary>
    /// <param name="architecture">What its layers are made of.</param>
    /// <returns>The path; the file must not be changed.</returns>
    public static string SharedPathOf(TinyArchitecture architecture) =>
        Shared.GetOrAdd(architecture, a => new Lazy<string>(() => Share(a))).Value;

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

    private static string Share(TinyArchitecture architecture)
    {
        // Named by the build that wrote it: a file that another build left is not used.
        var version = typeof(TinyModel).Module.ModuleVersionId;
        var path = Path.Combine(AppContext.BaseDirectory, $"tiny-{architecture}-{version:N}.gguf");
        if (!File.Exists(path))
        {
            // Tests may run in several processes over one folder.
            var part = $"{path}.{Environment.ProcessId}";
            Create(part, new TinyModelOptions { Architecture = architecture });
            File.Move(part, path, overwrite: true);
        }

        return path;
    }

    /// <summary>The metadata of a model, for tests that write a broken one.</summary>
    /// <param name="options">The model's shape.</param>
    public static GgufMetadata Describe(TinyModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var vocabulary = options.Published is { } published
            ? TinyVocabulary.Of(published, options.Vocabulary)
            : TinyVocabulary.OfSize(options.Vocabulary, options.ControlTokens);
        var metadata = new GgufMetadata
        {
            ["general.architecture"] = TinyLayers.NameOf(options.Architecture),
            ["general.type"] = "model",
            ["general.name"] = options.Name,
            ["general.license"] = "mit",
            ["general.file_type"] = options.Type == GgmlType.F32 ? 0u : 7u,
        };
        TinyLayers.Describe(metadata, options);
        metadata["tokenizer.ggml.model"] = "gpt2";
        metadata["tokenizer.ggml.pre"] = options.Published is null ? "smollm" : "gpt-4o";
        metadata["tokenizer.ggml.tokens"] = vocabulary.Tokens.ToArray();
        metadata["tokenizer.ggml.token_type"] = vocabulary.Types.ToArray();
        metadata["tokenizer.ggml.merges"] = vocabulary.Merges.ToArray();
        metadata["tokenizer.ggml.bos_token_id"] = (uint)TinyVocabulary.MessageStart;
        metadata["tokenizer.ggml.eos_token_id"] = (uint)TinyVocabulary.MessageEnd;
        metadata["tokenizer.ggml.unknown_token_id"] = (uint)TinyVocabulary.EndOfText;
        metadata["tokenizer.ggml.padding_token_id"] = (uint)TinyVocabulary.MessageEnd;
        metadata["tokenizer.ggml.add_bos_token"] = false;
        metadata["tokenizer.ggml.add_space_prefix"] = false;
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
        new TinyLayers(writer, options).Add();
    }
}
