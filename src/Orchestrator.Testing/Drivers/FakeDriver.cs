using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Testing.Drivers;

/// <summary>
/// A model driver that is exact and instant. It keeps real KV cells, shared by sequences, and its logits are a hash
/// of the adapters and of everything that a sequence's cells hold, so that whatever a scheduler gets wrong about the
/// cache (a wrong copy, a stale cell, another adapter's cell) changes the output. Every misuse throws.
/// </summary>
public sealed class FakeDriver : IModelDriver
{
    private const int EmbeddingLength = 16;
    private const float Impossible = -1000f;
    private const ulong NoAdapters = 0x9E3779B97F4A7C15UL;

    private readonly FakeDriverOptions _options;
    private readonly FakeTokenizer _tokenizer;
    private readonly List<Cell>[] _sequences;
    private readonly Dictionary<int, float[]> _outputs = [];
    private readonly List<string?> _adapterPaths = [];
    private readonly HashSet<int> _set = [];
    private readonly ManualResetEventSlim _abort = new();
    private ulong _adapters = NoAdapters;
    private int _usedCells;
    private int _callers;
    private int _decoding;
    private bool _disposed;

    /// <summary>Creates the driver.</summary>
    /// <param name="options">What it pretends to be; null for the defaults.</param>
    public FakeDriver(FakeDriverOptions? options = null)
    {
        _options = options ?? new FakeDriverOptions();
        _tokenizer = new FakeTokenizer(_options.Merges, _options.Specials);
        _sequences = new List<Cell>[_options.MaxSequences];
        for (var i = 0; i < _sequences.Length; i++)
        {
            _sequences[i] = [];
        }

        Info = new DriverInfo
        {
            Name = "fake",
            Architecture = "fake",
            ContextSize = _options.ContextSize,
            TrainedContext = _options.TrainedContext,
            MaxSequences = _options.MaxSequences,
            BatchSize = _options.BatchSize,
            EmbeddingLength = EmbeddingLength,
            CanCut = _options.CanCut,
            Embeddings = _options.Embeddings,
            StateFingerprint = _options.StateFingerprint,
            ChatTemplate = _options.ChatTemplate,
        };
    }

    /// <inheritdoc/>
    public DriverInfo Info { get; }

    /// <inheritdoc/>
    public ITokenizer Tokenizer => _tokenizer;

    /// <summary>Decodes that ended well.</summary>
    public int Decodes { get; private set; }

    /// <summary>Tokens computed by them.</summary>
    public long TokensComputed { get; private set; }

    /// <summary>Tokens whose output was asked for.</summary>
    public long OutputsComputed { get; private set; }

    /// <summary>Times that the adapters changed.</summary>
    public int AdapterSwitches { get; private set; }

    /// <summary>
    /// Set by <see cref="RequestAbort"/> while a decode runs; a slow <see cref="FakeDriverOptions.OnDecode"/> waits on
    /// it and then returns <see cref="DecodeStatus.Aborted"/>.
    /// </summary>
    public WaitHandle AbortRequested => _abort.WaitHandle;

    /// <inheritdoc/>
    public DecodeStatus Decode(DecodeBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var call = Enter();
        Check(batch);
        _outputs.Clear();
        _abort.Reset();
        Interlocked.Exchange(ref _decoding, 1);
        try
        {
            if (_options.OnDecode?.Invoke(batch) is { } status && status != DecodeStatus.Done)
            {
                return status;
            }
        }
        finally
        {
            Interlocked.Exchange(ref _decoding, 0);
        }

        if (_usedCells + batch.Count > _options.ContextSize)
        {
            return DecodeStatus.NoSpace;
        }

        Write(batch, batch.Count);
        Decodes++;
        TokensComputed += batch.Count;
        return DecodeStatus.Done;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> GetLogits(int batchIndex)
    {
        using var call = Enter();
        return !_options.Embeddings && _outputs.TryGetValue(batchIndex, out var logits)
            ? logits
            : throw new ArgumentException($"No logits were asked for at {batchIndex}.", nameof(batchIndex));
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> GetEmbedding(int batchIndex)
    {
        using var call = Enter();
        return _options.Embeddings && _outputs.TryGetValue(batchIndex, out var embedding)
            ? embedding
            : throw new ArgumentException($"No embedding was asked for at {batchIndex}.", nameof(batchIndex));
    }

    /// <inheritdoc/>
    public void CopySequence(int source, int destination, int start, int end)
    {
        using var call = Enter();
        var from = Sequence(source);
        var to = Sequence(destination);
        if (source == destination || start < 0 || end < start)
        {
            throw new ArgumentException($"Cannot copy {source} to {destination} from {start} to {end}.");
        }

        if (!_options.CanCut && (start > 0 || end < from.Count || to.Count > 0))
        {
            throw new ArgumentException("A sequence of this model is copied whole, to an empty one.");
        }

        if (end > from.Count)
        {
            throw new ArgumentException($"Sequence {source} has {from.Count} positions, not {end}.", nameof(end));
        }

        if (start > to.Count || from[start..end].Contains(Cell.Hole) || to.Skip(start).Take(end - start).Any(cell => cell != Cell.Hole))
        {
            throw new ArgumentException($"Sequence {destination} ends at {to.Count}; copying {start} to {end} would leave a gap or replace cells.");
        }

        for (var position = start; position < end; position++)
        {
            if (position == to.Count)
            {
                to.Add(Cell.Hole);
            }

            to[position] = from[position];
            from[position].Owners++;
        }
    }

    /// <inheritdoc/>
    public bool RemoveSequence(int sequence, int start, int end)
    {
        using var call = Enter();
        var cells = Sequence(sequence);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        end = Math.Min(end, cells.Count);
        if (!_options.CanCut && start > 0 && start < cells.Count)
        {
            return false;
        }

        for (var position = start; position < end; position++)
        {
            Free(cells, position);
        }

        while (cells.Count > 0 && cells[^1] == Cell.Hole)
        {
            cells.RemoveAt(cells.Count - 1);
        }

        return true;
    }

    /// <inheritdoc/>
    public byte[] SaveSequence(int sequence)
    {
        using var call = Enter();
        var cells = Sequence(sequence);
        var state = new byte[(cells.Count + 1) * 16];
        var sum = 0UL;
        for (var i = 0; i < cells.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(state.AsSpan((i + 1) * 16), cells[i].Token);
            BinaryPrimitives.WriteUInt64LittleEndian(state.AsSpan(((i + 1) * 16) + 8), cells[i].Value);
            sum = Mix(sum ^ cells[i].Value);
        }

        BinaryPrimitives.WriteInt64LittleEndian(state, cells.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(state.AsSpan(8), sum);
        return state;
    }

    /// <inheritdoc/>
    public bool LoadSequence(int sequence, ReadOnlySpan<byte> state)
    {
        using var call = Enter();
        var cells = Sequence(sequence);
        if (state.Length < 16 || BinaryPrimitives.ReadInt64LittleEndian(state) != (state.Length / 16) - 1)
        {
            throw new InvalidDataException("The state is damaged.");
        }

        var loaded = new List<Cell>();
        var sum = 0UL;
        for (var at = 16; at < state.Length; at += 16)
        {
            var cell = new Cell(
                (int)BinaryPrimitives.ReadInt64LittleEndian(state[at..]),
                BinaryPrimitives.ReadUInt64LittleEndian(state[(at + 8)..]));
            loaded.Add(cell);
            sum = Mix(sum ^ cell.Value);
        }

        if (sum != BinaryPrimitives.ReadUInt64LittleEndian(state[8..]))
        {
            throw new InvalidDataException("The state is damaged.");
        }

        for (var position = 0; position < cells.Count; position++)
        {
            Free(cells, position);
        }

        cells.Clear();
        if (_usedCells + loaded.Count > _options.ContextSize)
        {
            return false;
        }

        loaded.ForEach(c => c.Owners++);
        _usedCells += loaded.Count;
        cells.AddRange(loaded);
        return true;
    }

    /// <inheritdoc/>
    public int LoadAdapter(string path)
    {
        using var call = Enter();
        _adapterPaths.Add(path);
        return _adapterPaths.Count - 1;
    }

    /// <summary>Adapters that are loaded and not freed.</summary>
    public int AdaptersLoaded => _adapterPaths.Count(path => path is not null);

    /// <summary>The paths of the adapters that are set now.</summary>
    public IReadOnlyList<string> AdaptersSet => [.. _set.Order().Select(Adapter)];

    /// <inheritdoc/>
    public void FreeAdapter(int adapter)
    {
        using var call = Enter();
        if (_set.Contains(adapter))
        {
            _set.Clear();
            _adapters = NoAdapters;
        }

        _ = Adapter(adapter);
        _adapterPaths[adapter] = null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> InvocationTokens(int adapter)
    {
        using var call = Enter();
        return _options.Invocation?.Invoke(Adapter(adapter)) ?? [];
    }

    /// <inheritdoc/>
    public void SetAdapters(ReadOnlySpan<(int Adapter, float Scale)> adapters)
    {
        using var call = Enter();
        _adapters = NoAdapters;
        _set.Clear();
        foreach (var (adapter, scale) in adapters)
        {
            var path = Adapter(adapter);
            _set.Add(adapter);
            foreach (var character in path)
            {
                _adapters = Mix(_adapters ^ character);
            }

            _adapters = Mix(_adapters ^ BitConverter.SingleToUInt32Bits(scale));
        }

        AdapterSwitches++;
    }

    /// <inheritdoc/>
    public void SetThreads(int decode, int prefill)
    {
        using var call = Enter();
        ArgumentOutOfRangeException.ThrowIfLessThan(decode, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(prefill, 1);
    }

    /// <inheritdoc/>
    public void RequestAbort()
    {
        if (Volatile.Read(ref _decoding) == 1)
        {
            _abort.Set();
        }
    }

    /// <inheritdoc/>
    public int? GetSequenceLength(int sequence) => Sequence(sequence).Count;

    /// <inheritdoc/>
    public int? CountUsedCells() => _usedCells;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _abort.Dispose();
        }
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }

    private Call Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.Increment(ref _callers) != 1)
        {
            throw new InvalidOperationException("Two threads call the driver at once.");
        }

        return new Call(this);
    }

    private string Adapter(int adapter) =>
        adapter >= 0 && adapter < _adapterPaths.Count && _adapterPaths[adapter] is { } path
            ? path
            : throw new ArgumentOutOfRangeException(nameof(adapter), adapter, "No such adapter is loaded.");

    private List<Cell> Sequence(int sequence) =>
        sequence >= 0 && sequence < _sequences.Length
            ? _sequences[sequence]
            : throw new ArgumentOutOfRangeException(nameof(sequence), sequence, "No such sequence.");

    private void Check(DecodeBatch batch)
    {
        if (batch.Count == 0 || batch.Count > _options.BatchSize)
        {
            throw new ArgumentException($"A batch has 1 to {_options.BatchSize} tokens, not {batch.Count}.", nameof(batch));
        }

        var lengths = new Dictionary<int, int>();
        for (var i = 0; i < batch.Count; i++)
        {
            if (batch.Tokens[i] < 0 || batch.Tokens[i] >= _tokenizer.Size)
            {
                throw new ArgumentException($"Token {batch.Tokens[i]} is not in the vocabulary.", nameof(batch));
            }

            if (batch.SequencesOf(i).IsEmpty)
            {
                throw new ArgumentException("A token has no sequence.", nameof(batch));
            }

            if (!_options.CanCut && batch.SequencesOf(i).Length > 1)
            {
                throw new ArgumentException("A token of this model joins one sequence.", nameof(batch));
            }

            foreach (var sequence in batch.SequencesOf(i))
            {
                var length = lengths.GetValueOrDefault(sequence, Sequence(sequence).Count);
                if (Sequence(sequence).Contains(Cell.Hole))
                {
                    throw new ArgumentException($"Sequence {sequence} has a gap.", nameof(batch));
                }

                if (batch.Positions[i] != length)
                {
                    throw new ArgumentException(
                        $"Sequence {sequence} holds {length} positions, and position {batch.Positions[i]} was given.", nameof(batch));
                }

                if (length >= _options.TrainedContext)
                {
                    throw new ArgumentException($"Sequence {sequence} is longer than the model takes.", nameof(batch));
                }

                lengths[sequence] = length + 1;
            }
        }
    }

    private void Write(DecodeBatch batch, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var sequences = batch.SequencesOf(i);
            var state = Attend(_sequences[sequences[0]]);
            var cell = new Cell(batch.Tokens[i], Mix(state ^ Mix((ulong)batch.Tokens[i] + _adapters)));
            foreach (var sequence in sequences)
            {
                if (sequence != sequences[0] && Attend(_sequences[sequence]) != state)
                {
                    throw new InvalidOperationException("A token joins sequences that differ before it.");
                }

                _sequences[sequence].Add(cell);
                cell.Owners++;
            }

            _usedCells++;
            if (batch.Outputs[i])
            {
                OutputsComputed++;
                _outputs[i] = _options.Embeddings ? Embedding(cell.Value) : Logits(_sequences[sequences[0]]);
            }
        }
    }

    /// <summary>What a token sees: every cell before it, as it is now.</summary>
    private static ulong Attend(List<Cell> cells)
    {
        var state = 1UL;
        foreach (var cell in CollectionsMarshal.AsSpan(cells))
        {
            if (cell == Cell.Hole)
            {
                throw new InvalidOperationException("A sequence has a gap.");
            }

            state = Mix(state + cell.Value);
        }

        return state;
    }

    private float[] Logits(List<Cell> cells)
    {
        var state = Attend(cells) ^ _adapters;
        var logits = new float[_tokenizer.Size];
        if (_options.Logits?.Invoke([.. cells.Select(c => c.Token)]) is { } distribution)
        {
            Array.Fill(logits, Impossible);
            foreach (var (token, logit) in distribution)
            {
                logits[token] = logit;
            }

            return logits;
        }

        for (var token = 0; token < logits.Length; token++)
        {
            logits[token] = (Mix(state + ((ulong)token * 0x9E3779B97F4A7C15UL)) >> 40) / (float)(1 << 24) * 8f;
        }

        logits[FakeTokenizer.End] = _options.EndLogit;
        if (_options.Script?.Invoke([.. cells.Select(c => c.Token)]) is { } wanted)
        {
            logits[wanted] = 40f;
        }

        return logits;
    }

    private static float[] Embedding(ulong value)
    {
        var embedding = new float[EmbeddingLength];
        for (var i = 0; i < EmbeddingLength; i++)
        {
            embedding[i] = ((Mix(value + (ulong)i) >> 40) / (float)(1 << 23)) - 1f;
        }

        return embedding;
    }

    private void Free(List<Cell> cells, int position)
    {
        var cell = cells[position];
        if (cell == Cell.Hole)
        {
            return;
        }

        cells[position] = Cell.Hole;
        if (--cell.Owners == 0)
        {
            _usedCells--;
        }
    }

    private readonly struct Call(FakeDriver driver) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref driver._callers);
    }

    private sealed class Cell(int token, ulong value)
    {
        public static readonly Cell Hole = new(-1, 0);

        public int Token { get; } = token;

        public ulong Value { get; } = value;

        public int Owners { get; set; }
    }
}
