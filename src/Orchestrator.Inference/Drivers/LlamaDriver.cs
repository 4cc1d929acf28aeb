using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// The driver over llama.cpp: one model, one context with a unified KV cache. Every argument is checked here, because
/// the library answers some mistakes by ending the process.
/// </summary>
public sealed unsafe class LlamaDriver : IModelDriver
{
    private readonly ModelHandle _model;
    private readonly ContextHandle _context;
    private readonly LlamaTokenizer _tokenizer;
    private readonly CellLedger _ledger;
    private readonly GgufModel _file;
    private readonly nint _memory;
    private readonly List<nint> _adapters = [];
    private readonly HashSet<int> _set = [];
    private readonly bool[] _outputs;
    private readonly int[] _sequenceCounts;
    private readonly int*[] _sequencePointers;
    private readonly LlamaMemory _cells;
    private readonly LlamaStates _states;
    private readonly Lock _abortGate = new();
    private int _outputCount;
    private bool _decoding;
    private int _busy;

    internal LlamaDriver(ModelHandle model, ContextHandle context, DriverInfo info, GgufModel file, int window)
    {
        _model = model;
        _context = context;
        _file = file;
        Info = info;
        _tokenizer = new LlamaTokenizer(model);
        _memory = LlamaApi.GetMemory(context);
        _cells = new LlamaMemory(_memory, window, info.MaxSequences);
        _states = new LlamaStates(context, _cells);
        _ledger = new CellLedger(_tokenizer.Size, info.BatchSize, info.MaxSequences);
        _outputs = new bool[info.BatchSize];
        _sequenceCounts = new int[info.BatchSize];
        _sequencePointers = new int*[info.BatchSize];
    }

    /// <inheritdoc/>
    public DriverInfo Info { get; }

    /// <inheritdoc/>
    public ITokenizer Tokenizer => _tokenizer;

    /// <inheritdoc/>
    public DecodeStatus Decode(DecodeBatch batch)
    {
        using var use = Enter();
        _ledger.Check(batch, Info.CanCut);
        _outputCount = 0;
        lock (_abortGate)
        {
            _context.Abort = false;
            _decoding = true;
        }

        int result;
        NativeLog.CollectErrors();
        try
        {
            result = Submit(batch);
        }
        finally
        {
            lock (_abortGate)
            {
                _decoding = false;
            }
        }

        var errors = NativeLog.TakeErrors();
        switch (result)
        {
            case 0:
                // An encoder keeps no cells; each of its batches begins anew.
                if (_memory != 0)
                {
                    _ledger.Add(batch);
                }

                KeepOutputs(batch);
                return DecodeStatus.Done;
            case 1:
                return DecodeStatus.NoSpace;
            case 2:
                Restore();
                return DecodeStatus.Aborted;
            case -1:
                throw new ArgumentException($"llama.cpp refuses the batch: {errors}.", nameof(batch));
            default:
                Restore();
                throw new OrchestratorException(
                    ErrorKind.Model, $"llama.cpp failed to compute a batch of {batch.Count} tokens (code {result}): {errors}.");
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> GetLogits(int batchIndex)
    {
        CheckOutput(batchIndex);
        var logits = LlamaApi.GetLogits(_context, batchIndex);
        return logits is not null
            ? new ReadOnlySpan<float>(logits, _tokenizer.Size)
            : throw new InvalidOperationException($"There are no logits for token {batchIndex}.");
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> GetEmbedding(int batchIndex)
    {
        if (!Info.Embeddings)
        {
            throw new InvalidOperationException("The driver was not opened for embeddings.");
        }

        CheckOutput(batchIndex);
        var embedding = LlamaApi.GetEmbeddings(_context, batchIndex);
        return embedding is not null
            ? new ReadOnlySpan<float>(embedding, Info.EmbeddingLength)
            : throw new InvalidOperationException($"There is no embedding for token {batchIndex}.");
    }

    /// <inheritdoc/>
    public void CopySequence(int source, int destination, int start, int end)
    {
        using var use = Enter();
        _ledger.Share(source, destination, start, end, Info.CanCut);
        if (end > start)
        {
            _cells.Copy(source, destination, start, end);
        }
    }

    /// <inheritdoc/>
    public bool RemoveSequence(int sequence, int start, int end)
    {
        using var use = Enter();
        var length = _ledger.LengthOf(sequence);
        if (start < 0 || end < start)
        {
            throw new ArgumentException($"Positions {start} to {end} are not a range.");
        }

        if (start >= length || start == end)
        {
            return true;
        }

        if (!Info.CanCut && (start > 0 || end < length))
        {
            return false;
        }

        if (_memory != 0 && !_cells.Remove(sequence, start, end >= length ? -1 : end))
        {
            return false;
        }

        _ledger.Remove(sequence, start, end);
        return true;
    }

    /// <inheritdoc/>
    public byte[] SaveSequence(int sequence)
    {
        using var use = Enter();
        var length = _ledger.LengthOf(sequence);
        RequireMemory();
        var state = _states.Save(sequence, length, SequenceState.HeaderSize);
        SequenceState.Seal(state, Info.StateFingerprint, length);
        return state;
    }

    /// <inheritdoc/>
    public bool LoadSequence(int sequence, ReadOnlySpan<byte> state)
    {
        using var use = Enter();
        _ = _ledger.LengthOf(sequence);
        RequireMemory();
        var payload = SequenceState.Open(state, Info.StateFingerprint, out var length);
        Drop(sequence);
        if (length == 0)
        {
            return true;
        }

        if (!_states.Load(sequence, length, payload))
        {
            Drop(sequence);
            return false;
        }

        _ledger.Add(sequence, length);
        return true;
    }

    /// <inheritdoc/>
    public int LoadAdapter(string path)
    {
        using var use = Enter();
        ArgumentException.ThrowIfNullOrEmpty(path);
        _ = AdapterCard.Read(path, _file);
        NativeLog.CollectErrors();
        var adapter = LlamaApi.AdapterInit(_model, path);
        var errors = NativeLog.TakeErrors();
        if (adapter == 0)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"The adapter {path} cannot be used with the model {Info.Name}: {errors}.",
                "Use an adapter that was made for this model, as a GGUF file.");
        }

        _adapters.Add(adapter);
        return _adapters.Count - 1;
    }

    /// <inheritdoc/>
    public void FreeAdapter(int adapter)
    {
        using var use = Enter();
        CheckAdapter(adapter);
        if (_set.Contains(adapter))
        {
            // The context keeps a pointer to what is set; with another set it plans its graph anew before it computes.
            Apply([]);
        }

        LlamaApi.AdapterFree(_adapters[adapter]);
        _adapters[adapter] = 0;
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> InvocationTokens(int adapter)
    {
        using var use = Enter();
        CheckAdapter(adapter);
        var count = (int)LlamaApi.AdapterInvocationCount(_adapters[adapter]);
        return new ReadOnlySpan<int>(LlamaApi.AdapterInvocationTokens(_adapters[adapter]), count).ToArray();
    }

    /// <inheritdoc/>
    public void SetAdapters(ReadOnlySpan<(int Adapter, float Scale)> adapters)
    {
        using var use = Enter();
        Apply(adapters);
    }

    /// <inheritdoc/>
    public void SetThreads(int decode, int prefill)
    {
        using var use = Enter();
        ArgumentOutOfRangeException.ThrowIfLessThan(decode, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(decode, LlamaDriverLoader.MaxThreads);
        ArgumentOutOfRangeException.ThrowIfLessThan(prefill, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefill, LlamaDriverLoader.MaxThreads);
        _context.SetThreads(decode, prefill);
    }

    /// <inheritdoc/>
    public void RequestAbort()
    {
        lock (_abortGate)
        {
            // The library moves recurrent states about while it computes, those of other sequences too, and a graph that
            // stops half way leaves them in the wrong places. Such a batch is finished.
            if (_decoding && Info.CanCut)
            {
                _context.Abort = true;
            }
        }
    }

    /// <inheritdoc/>
    public int? GetSequenceLength(int sequence) => _ledger.LengthOf(sequence);

    /// <inheritdoc/>
    public int? CountUsedCells() => _ledger.Used;

    /// <summary>Frees the context and the model. A decode that still runs on another thread is finished first.</summary>
    public void Dispose()
    {
        RequestAbort();
        _context.Dispose();
        _model.Dispose();
    }

    private void Apply(ReadOnlySpan<(int Adapter, float Scale)> adapters)
    {
        var pointers = new nint[adapters.Length];
        var scales = new float[adapters.Length];
        for (var i = 0; i < adapters.Length; i++)
        {
            CheckAdapter(adapters[i].Adapter);
            if (!float.IsFinite(adapters[i].Scale))
            {
                throw new ArgumentException($"Adapter {adapters[i].Adapter} has scale {adapters[i].Scale}.", nameof(adapters));
            }

            pointers[i] = _adapters[adapters[i].Adapter];
            scales[i] = adapters[i].Scale;
        }

        if (pointers.Distinct().Count() != pointers.Length)
        {
            throw new ArgumentException("An adapter is named twice.", nameof(adapters));
        }

        fixed (nint* first = pointers)
        fixed (float* firstScale = scales)
        {
            if (LlamaApi.SetAdapters(_context, first, (nuint)pointers.Length, firstScale) != 0)
            {
                throw new OrchestratorException(ErrorKind.Model, "llama.cpp refuses the adapters.");
            }
        }

        _set.Clear();
        foreach (var (adapter, _) in adapters)
        {
            _set.Add(adapter);
        }
    }

    private int Submit(DecodeBatch batch)
    {
        var all = _cells.Named(batch.AllSequences);
        var each = all.Length / batch.AllSequences.Length;
        fixed (int* tokens = CollectionsMarshal.AsSpan(batch.Tokens))
        fixed (int* positions = CollectionsMarshal.AsSpan(batch.Positions))
        fixed (bool* outputs = CollectionsMarshal.AsSpan(batch.Outputs))
        fixed (int* sequences = all)
        fixed (int* counts = _sequenceCounts)
        fixed (int** pointers = _sequencePointers)
        {
            var next = sequences;
            for (var i = 0; i < batch.Count; i++)
            {
                counts[i] = each * batch.SequencesOf(i).Length;
                pointers[i] = next;
                next += counts[i];
            }

            return LlamaApi.Decode(_context, new LlamaBatch
            {
                Count = batch.Count,
                Tokens = tokens,
                Positions = positions,
                SequenceCounts = counts,
                Sequences = pointers,
                Outputs = (sbyte*)outputs,
            });
        }
    }

    private void KeepOutputs(DecodeBatch batch)
    {
        _outputCount = batch.Count;
        if (Info.Embeddings)
        {
            _outputs.AsSpan(0, _outputCount).Fill(true);
        }
        else
        {
            batch.Outputs.CopyTo(_outputs);
        }
    }

    /// <summary>
    /// Takes every sequence of the last batch back to where it was. The library itself cleans up only the first
    /// sequence of each token, and leaves finished micro-batches in place.
    /// </summary>
    private void Restore()
    {
        if (_memory == 0)
        {
            return;
        }

        foreach (var sequence in _ledger.Touched)
        {
            if (!_cells.Remove(sequence, _ledger.LengthOf(sequence), -1))
            {
                // A recurrent state cannot go back; the sequence begins anew.
                Drop(sequence);
            }
        }
    }

    private void Drop(int sequence)
    {
        if (_memory != 0)
        {
            _ = _cells.Remove(sequence, -1, -1);
        }

        _ledger.Remove(sequence, 0, int.MaxValue);
    }

    private void CheckOutput(int batchIndex)
    {
        if ((uint)batchIndex >= (uint)_outputCount || !_outputs[batchIndex])
        {
            throw new ArgumentOutOfRangeException(
                nameof(batchIndex), batchIndex, "The last batch has no such token, or its output was not asked for.");
        }
    }

    private void RequireMemory()
    {
        if (_memory == 0)
        {
            throw new NotSupportedException("This model keeps no cache.");
        }
    }

    private void CheckAdapter(int adapter)
    {
        if ((uint)adapter >= (uint)_adapters.Count || _adapters[adapter] == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(adapter), adapter, "No adapter with this number is loaded.");
        }
    }

    /// <summary>Refuses a second caller at the same time, which would corrupt the context.</summary>
    private Use Enter()
    {
        ObjectDisposedException.ThrowIf(_context.IsClosed, this);
        return Interlocked.Exchange(ref _busy, 1) == 0
            ? new Use(this)
            : throw new InvalidOperationException("The driver is in use by another thread.");
    }

    private readonly ref struct Use(LlamaDriver driver)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => Volatile.Write(ref driver._busy, 0);
    }
}
