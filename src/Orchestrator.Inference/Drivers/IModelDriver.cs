using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Drivers;

/// <summary>How a decode ended.</summary>
public enum DecodeStatus
{
    /// <summary>The batch is in the KV cache and its logits can be read.</summary>
    Done,

    /// <summary>The cache has no room for the batch; nothing of it was kept.</summary>
    NoSpace,

    /// <summary>The abort was requested; nothing of the batch was kept.</summary>
    Aborted,
}

/// <summary>
/// The seam between scheduling and a native library: one model with one context whose KV cache holds many sequences.
/// All members but <see cref="RequestAbort"/> and the tokenizer are called by one thread at a time. A driver checks
/// its arguments and throws; it never lets a bad call reach the native library.
/// </summary>
public interface IModelDriver : IDisposable
{
    /// <summary>What the model is.</summary>
    DriverInfo Info { get; }

    /// <summary>Text to token ids and back; safe to call from any thread.</summary>
    ITokenizer Tokenizer { get; }

    /// <summary>
    /// Computes a batch. For each sequence the positions must continue, without a gap, what the cache holds of it.
    /// </summary>
    /// <param name="batch">At most <see cref="DriverInfo.BatchSize"/> tokens.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="ArgumentException">
    /// A token id, position or sequence is out of range, the batch too large, or a token joins several sequences of a
    /// cache that can't be cut.
    /// </exception>
    DecodeStatus Decode(DecodeBatch batch);

    /// <summary>The logits of a token of the last batch that asked for them.</summary>
    /// <param name="batchIndex">The token's index in the batch.</param>
    /// <returns>One value for each token of the vocabulary; valid until the next decode.</returns>
    ReadOnlySpan<float> GetLogits(int batchIndex);

    /// <summary>
    /// The embedding of a token of the last batch that asked for output, on a driver opened for embeddings.
    /// </summary>
    /// <param name="batchIndex">The token's index in the batch.</param>
    /// <returns><see cref="DriverInfo.EmbeddingLength"/> values, not normalised; valid until the next decode.</returns>
    ReadOnlySpan<float> GetEmbedding(int batchIndex);

    /// <summary>Makes a sequence share the cells of another in a range of positions. Costs no computation.</summary>
    /// <param name="source">The sequence to share from.</param>
    /// <param name="destination">The sequence that gets them.</param>
    /// <param name="start">First position: where the destination ends, or has a gap.</param>
    /// <param name="end">The position after the last, at most the length of the source.</param>
    /// <exception cref="ArgumentException">
    /// The range is not in the source, would replace cells or leave a gap in the destination, or is a part where the
    /// cache can only be shared whole (<see cref="DriverInfo.CanCut"/>).
    /// </exception>
    void CopySequence(int source, int destination, int start, int end);

    /// <summary>
    /// Takes a sequence off its cells in a range of positions; cells without a sequence are free. A gap in the middle
    /// must be filled by <see cref="CopySequence"/> before the sequence is decoded further.
    /// </summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="start">First position.</param>
    /// <param name="end">The position after the last; <see cref="int.MaxValue"/> for all.</param>
    /// <returns>False where this model's cache cannot be cut there; nothing was changed then.</returns>
    bool RemoveSequence(int sequence, int start, int end);

    /// <summary>Writes the state of one sequence.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <returns>Its state; only this driver with this model and the same adapters can read it.</returns>
    byte[] SaveSequence(int sequence);

    /// <summary>Replaces a sequence by a saved state.</summary>
    /// <param name="sequence">The sequence; what it holds is dropped.</param>
    /// <param name="state">What <see cref="SaveSequence"/> gave.</param>
    /// <returns>False where the cache has no room.</returns>
    /// <exception cref="InvalidDataException">The state is damaged or of another model.</exception>
    bool LoadSequence(int sequence, ReadOnlySpan<byte> state);

    /// <summary>Loads an adapter and keeps it until it is freed, or the driver is disposed.</summary>
    /// <param name="path">A GGUF adapter file made for this model.</param>
    /// <returns>Its number in this driver; numbers are not used again.</returns>
    int LoadAdapter(string path);

    /// <summary>Frees an adapter's memory. Where it is set now, the base model is set first.</summary>
    /// <param name="adapter">What <see cref="LoadAdapter"/> gave; its number is of no more use.</param>
    void FreeAdapter(int adapter);

    /// <summary>
    /// The tokens after which an activated adapter (aLoRA, Greenewald et al. 2025) begins to act; what comes before
    /// them shares the base model's cells. Empty for an ordinary adapter.
    /// </summary>
    /// <param name="adapter">What <see cref="LoadAdapter"/> gave.</param>
    /// <returns>Token ids.</returns>
    IReadOnlyList<int> InvocationTokens(int adapter) => [];

    /// <summary>
    /// Sets the adapters that the next decodes apply, for the whole context. KV cells computed under other adapters
    /// stay, and mixing them is the caller's error.
    /// </summary>
    /// <param name="adapters">Numbers and scales, in order; empty for the base model.</param>
    void SetAdapters(ReadOnlySpan<(int Adapter, float Scale)> adapters);

    /// <summary>Sets the threads that the next decodes use.</summary>
    /// <param name="decode">For batches of one token a sequence, at least 1.</param>
    /// <param name="prefill">For larger batches, at least 1.</param>
    void SetThreads(int decode, int prefill);

    /// <summary>
    /// Makes a running decode end as <see cref="DecodeStatus.Aborted"/> soon; safe to call from any thread. Without
    /// a running decode it has no effect, nor where the model's cache can't be cut and the batch must be finished.
    /// </summary>
    void RequestAbort();

    /// <summary>How many positions the cache holds of a sequence, counted from 0; for audits.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <returns>The position after its last, 0 for an empty one; null where the driver cannot tell.</returns>
    int? GetSequenceLength(int sequence) => null;

    /// <summary>How many cells hold something; for audits.</summary>
    /// <returns>The number, or null where the driver cannot tell.</returns>
    int? CountUsedCells() => null;
}

/// <summary>What a driver's model and context are.</summary>
public sealed record DriverInfo
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>The architecture, e.g. <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Cells of the KV cache, shared by all sequences.</summary>
    public required int ContextSize { get; init; }

    /// <summary>The positions that the model was trained for; a sequence cannot be longer.</summary>
    public required int TrainedContext { get; init; }

    /// <summary>Sequences are numbered 0 to this, exclusive.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>The most tokens a batch may have.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Length of an embedding.</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>Whether a sequence can be cut at any position (false for recurrent models and those with recurrent layers).</summary>
    public required bool CanCut { get; init; }

    /// <summary>
    /// Equal where one driver can load sequences that another saved: of the model's content and the cache's format. 0
    /// where nobody knows; nothing is then kept on disk.
    /// </summary>
    public ulong StateFingerprint { get; init; }

    /// <summary>The threads that it computes with at first; 0 where it does not compute on the processor.</summary>
    public int Threads { get; init; }

    /// <summary>The model's chat template, or null.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>How the model's token embeddings become a text's; mean where the model says nothing.</summary>
    public EmbeddingPooling Pooling { get; init; }

    /// <summary>Whether the driver was opened to give embeddings.</summary>
    public bool Embeddings { get; init; }
}

/// <summary>How the embeddings of a text's tokens become one.</summary>
public enum EmbeddingPooling
{
    /// <summary>The mean over the tokens.</summary>
    Mean,

    /// <summary>The first token's.</summary>
    First,

    /// <summary>The last token's.</summary>
    Last,
}

/// <summary>Text to token ids and back.</summary>
public interface ITokenizer : ITokenVocabulary
{
    /// <summary>The token that begins a text, or null where the model wants none.</summary>
    int? BeginOfText { get; }

    /// <summary>The token that ends an answer.</summary>
    int EndOfText { get; }

    /// <summary>
    /// The texts of the control and user-defined tokens, which must not arise from what people or tools write.
    /// </summary>
    IReadOnlyList<string> SpecialTexts { get; }

    /// <summary>Splits text into tokens. Adds no begin or end token.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseSpecial">Whether the text of a control token becomes that token.</param>
    /// <returns>The ids.</returns>
    int[] Tokenize(string text, bool parseSpecial);
}

/// <summary>Tokens to compute in one step. Reused from step to step.</summary>
public sealed class DecodeBatch
{
    private readonly List<int> _sequences = [];
    private readonly List<int> _sequenceStarts = [0];

    /// <summary>The tokens' ids.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Each token's position in its sequences.</summary>
    public List<int> Positions { get; } = [];

    /// <summary>Whether each token's logits (or embedding) are wanted.</summary>
    public List<bool> Outputs { get; } = [];

    /// <summary>How many tokens.</summary>
    public int Count => Tokens.Count;

    /// <summary>Adds a token.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="position">Its position.</param>
    /// <param name="output">Whether its logits are wanted.</param>
    /// <param name="sequences">The sequences whose cache it joins; at least one.</param>
    /// <returns>Its index in the batch.</returns>
    public int Add(int token, int position, bool output, params ReadOnlySpan<int> sequences)
    {
        Tokens.Add(token);
        Positions.Add(position);
        Outputs.Add(output);
        _sequences.AddRange(sequences);
        _sequenceStarts.Add(_sequences.Count);
        return Tokens.Count - 1;
    }

    /// <summary>Lets one more sequence hold a token's cell.</summary>
    /// <param name="index">The token's index.</param>
    /// <param name="sequence">The sequence; it holds the same cells before the token as the token's others.</param>
    public void Join(int index, int sequence)
    {
        _sequences.Insert(_sequenceStarts[index + 1], sequence);
        for (var i = index + 1; i < _sequenceStarts.Count; i++)
        {
            _sequenceStarts[i]++;
        }
    }

    /// <summary>The sequences of all tokens, one after another.</summary>
    internal ReadOnlySpan<int> AllSequences => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_sequences);

    /// <summary>The sequences of a token.</summary>
    /// <param name="index">The token's index.</param>
    /// <returns>Its sequences.</returns>
    public ReadOnlySpan<int> SequencesOf(int index) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_sequences)[_sequenceStarts[index].._sequenceStarts[index + 1]];

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        Tokens.Clear();
        Positions.Clear();
        Outputs.Clear();
        _sequences.Clear();
        _sequenceStarts.Clear();
        _sequenceStarts.Add(0);
    }
}
