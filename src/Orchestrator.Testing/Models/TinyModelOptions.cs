using Orchestrator.Inference.Gguf;

namespace Orchestrator.Testing.Models;

/// <summary>What the layers of a generated model are made of; each is one of llama.cpp's architectures.</summary>
public enum TinyArchitecture
{
    /// <summary>Attention over everything (<c>llama</c>).</summary>
    Attention,

    /// <summary>Attention that looks back over a window in every other layer (<c>gemma3</c>).</summary>
    SlidingWindow,

    /// <summary>A recurrent state and no attention (<c>mamba</c>).</summary>
    Recurrent,

    /// <summary>Short convolutions and attention in turns (<c>lfm2</c>).</summary>
    Hybrid,
}

/// <summary>The shape of a generated model. The defaults make a file of about 0.6 MB in a few milliseconds.</summary>
public sealed record TinyModelOptions
{
    /// <summary>The model's name in its metadata.</summary>
    public string Name { get; init; } = "tiny";

    /// <summary>What its layers are made of.</summary>
    public TinyArchitecture Architecture { get; init; }

    /// <summary>Same options and seed, same bytes.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Number of transformer blocks, at least 1.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Width of the residual stream; a multiple of 32 and of <see cref="Heads"/>, with an even quotient.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Width of the feed-forward layer; a multiple of 32.</summary>
    public int FeedForward { get; init; } = 128;

    /// <summary>
    /// Number of tokens, at least <see cref="TinyVocabulary.Smallest"/>. What special tokens, bytes and merges
    /// don't fill is filled with unused control tokens.
    /// </summary>
    public int Vocabulary { get; init; } = 512;

    /// <summary>
    /// Texts of further control tokens, the last of the vocabulary. llama.cpp treats some by their names: it ends
    /// answers at <c>&lt;|return|&gt;</c> and <c>&lt;|call|&gt;</c>, and takes <c>&lt;|channel|&gt;</c> for user-defined.
    /// </summary>
    public IReadOnlyList<string> ControlTokens { get; init; } = [];

    /// <summary>
    /// The tokens of a published byte-pair encoding in the order of their merges (tiktoken's ranks), of which as many as
    /// fit are taken in place of the test kit's own; null for those. The first 256 are the bytes.
    /// </summary>
    public IReadOnlyList<byte[]>? Published { get; init; }

    /// <summary>The context in tokens that the model claims to be trained for.</summary>
    public int Context { get; init; } = 2048;

    /// <summary>How many tokens a layer with a sliding window looks back over; only for <see cref="TinyArchitecture.SlidingWindow"/>.</summary>
    public int Window { get; init; } = 32;

    /// <summary>How matrices are stored: <see cref="GgmlType.F32"/> or <see cref="GgmlType.Q8_0"/>. Norms are always f32.</summary>
    public GgmlType Type { get; init; } = GgmlType.F32;

    /// <summary>
    /// Whether the output layer is the embedding. A tied random model mostly repeats its last token, so the default
    /// is an output layer of its own.
    /// </summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>The Jinja chat template, or null for a model without one.</summary>
    public string? ChatTemplate { get; init; } = ChatMl;

    /// <summary>ChatML, as most small models use it.</summary>
    public const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>
    /// The shape of a model of half a billion parameters in Q8_0 (about 520 MB), for measuring speed: its answers
    /// are noise, its work is real.
    /// </summary>
    public static TinyModelOptions HalfBillion { get; } = new()
    {
        Name = "half-billion-shape",
        Layers = 24,
        Width = 896,
        Heads = 14,
        KeyValueHeads = 2,
        FeedForward = 4864,
        Vocabulary = 151_936,
        Context = 32_768,
        Type = GgmlType.Q8_0,
        TiedEmbeddings = true,
    };

    internal void Validate()
    {
        Require(Layers is >= 1 and <= 512, nameof(Layers), Layers);
        Require(Heads >= 1 && Width >= 32 && Width % 32 == 0 && Width % (2 * Heads) == 0, nameof(Width), Width);
        Require(KeyValueHeads >= 1 && Heads % KeyValueHeads == 0, nameof(KeyValueHeads), KeyValueHeads);
        Require(FeedForward >= 32 && FeedForward % 32 == 0, nameof(FeedForward), FeedForward);
        Require(Vocabulary >= TinyVocabulary.Smallest + ControlTokens.Count, nameof(Vocabulary), Vocabulary);
        Require(Context >= 1, nameof(Context), Context);
        Require(Enum.IsDefined(Architecture), nameof(Architecture), Architecture);
        Require(Window >= 1, nameof(Window), Window);
        Require(Type is GgmlType.F32 or GgmlType.Q8_0, nameof(Type), Type);
    }

    private static void Require(bool holds, string name, object value)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} can't be {value}; see its description.");
        }
    }
}
