using Orchestrator.Inference.Drivers;

namespace Orchestrator.Testing.Drivers;

/// <summary>What a <see cref="FakeDriver"/> pretends to be.</summary>
public sealed record FakeDriverOptions
{
    /// <summary>Cells of the KV cache, at least 1.</summary>
    public int ContextSize { get; init; } = 4096;

    /// <summary>The longest sequence that the model takes, at least 1.</summary>
    public int TrainedContext { get; init; } = 4096;

    /// <summary>How many sequences there are, 1 to 256.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>The most tokens in a batch, at least 1.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>Whether a sequence can be cut anywhere.</summary>
    public bool CanCut { get; init; } = true;

    /// <summary>Whether it gives embeddings in place of logits.</summary>
    public bool Embeddings { get; init; }

    /// <summary>The model's chat template, or null for none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// The texts of the control tokens: the one that begins a text, the end of an answer, the beginning of a message and
    /// its end, which ends an answer too, then any others.
    /// </summary>
    public IReadOnlyList<string> Specials { get; init; } = ChatMlSpecials;

    /// <summary>Control tokens for ChatML.</summary>
    public static IReadOnlyList<string> ChatMlSpecials { get; } = ["<|begin|>", "<|end|>", "<|im_start|>", "<|im_end|>"];

    /// <summary>
    /// Texts that are one token although they have several bytes, as in a real vocabulary. The
    /// longest that matches is taken.
    /// </summary>
    public IReadOnlyList<string> Merges { get; init; } =
        ["th", "the", " the", "in", "er", "an", "on", "{\"", "\":", "\":\"", "\",\"", "\"}", "true", "false", "name", "answer"];

    /// <summary>
    /// What the model wants to say: given the tokens of a sequence up to and with the one just computed, the token
    /// that must follow, or null for the hash. Must be a pure function.
    /// </summary>
    public Func<IReadOnlyList<int>, int?>? Script { get; init; }

    /// <summary>The invocation tokens of the adapter at a path (aLoRA); null or empty for one that is always on.</summary>
    public Func<string, IReadOnlyList<int>>? Invocation { get; init; }

    /// <summary>
    /// The model's distribution: given the tokens of a sequence up to and with the one just computed, the tokens that
    /// can follow and their logits, or null for the hash. Comes before <see cref="Script"/>. Must be a pure function.
    /// </summary>
    public Func<IReadOnlyList<int>, IReadOnlyList<(int Token, float Logit)>?>? Logits { get; init; }

    /// <summary>
    /// Called before each decode; what it returns other than null ends the decode at once with that status, and what
    /// it throws is thrown. For faults, full caches and slow steps.
    /// </summary>
    public Func<DecodeBatch, DecodeStatus?>? OnDecode { get; init; }

    /// <summary>How likely the hash makes the end token, as a logit; the others lie between 0 and 8.</summary>
    public float EndLogit { get; init; } = 4f;

    /// <summary>What <see cref="DriverInfo.StateFingerprint"/> says.</summary>
    public ulong StateFingerprint { get; init; } = 1;
}
