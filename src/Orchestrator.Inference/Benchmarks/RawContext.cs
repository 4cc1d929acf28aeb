using System.Runtime.InteropServices;
using Orchestrator.Core;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling.Sampling;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>A context of the C API, driven without anything between: what the limit and the others are measured by.</summary>
internal sealed unsafe class RawContext : IDisposable
{
    private readonly ContextHandle _context;
    private readonly nint _memory;
    private readonly int _vocabulary;
    private readonly int _batch;
    private readonly CancellationToken _cancellationToken;
    private readonly int* _tokens;
    private readonly int* _positions;
    private readonly int* _counts;
    private readonly int* _ids;
    private readonly int** _sequences;
    private readonly sbyte* _outputs;
    private int _count;

    public RawContext(ModelHandle model, int cells, int sequences, int batch, int threads, CancellationToken cancellationToken)
    {
        var parameters = LlamaApi.ContextDefaultParams();
        parameters.ContextSize = (uint)cells;
        parameters.BatchSize = parameters.MicroBatchSize = (uint)batch;
        parameters.MaxSequences = (uint)sequences;
        parameters.Threads = parameters.BatchThreads = threads;
        parameters.UnifiedKv = 1;
        parameters.NoPerf = 1;
        parameters.SlidingWindowFull = 1;
        parameters.Embeddings = 0;
        _context = ContextHandle.Create(model, parameters) ?? throw new OrchestratorException(
            ErrorKind.Model, $"llama.cpp cannot make a context of {cells} tokens.", "Ask for fewer agents or a shorter preamble.");
        _context.SetThreads(threads, threads);
        _memory = LlamaApi.GetMemory(_context);
        _vocabulary = LlamaApi.VocabularySize(LlamaApi.ModelVocabulary(model));
        _batch = batch;
        _cancellationToken = cancellationToken;
        _tokens = Allocate<int>(batch);
        _positions = Allocate<int>(batch);
        _counts = Allocate<int>(batch);
        _ids = Allocate<int>(batch);
        _outputs = Allocate<sbyte>(batch);
        _sequences = (int**)NativeMemory.Alloc((nuint)batch, (nuint)sizeof(int*));
        for (var i = 0; i < batch; i++)
        {
            _counts[i] = 1;
            _sequences[i] = _ids + i;
        }
    }

    /// <summary>Positions given to the decoder so far.</summary>
    public int Fed { get; private set; }

    /// <summary>Appends a token to the batch.</summary>
    /// <returns>Its index.</returns>
    public int Add(int token, int position, int sequence, bool output)
    {
        _tokens[_count] = token;
        _positions[_count] = position;
        _ids[_count] = sequence;
        _outputs[_count] = (sbyte)(output ? 1 : 0);
        return _count++;
    }

    /// <summary>Computes the batch.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled before.</exception>
    public void Decode()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var batch = new LlamaBatch
        {
            Count = _count,
            Tokens = _tokens,
            Positions = _positions,
            SequenceCounts = _counts,
            Sequences = _sequences,
            Outputs = _outputs,
        };
        if (LlamaApi.Decode(_context, batch) is var code and not 0)
        {
            throw new InvalidOperationException($"llama_decode gave {code}.");
        }

        Fed += _count;
        _count = 0;
    }

    /// <summary>Computes a run of tokens in full batches.</summary>
    /// <returns>The index of the last one's output.</returns>
    public int Prefill(ReadOnlySpan<int> tokens, int start, int sequence)
    {
        var index = 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            index = Add(tokens[i], start + i, sequence, i == tokens.Length - 1);
            if (_count == _batch && i < tokens.Length - 1)
            {
                Decode();
            }
        }

        Decode();
        return index;
    }

    /// <summary>The most probable token at an output.</summary>
    public int Best(int index)
    {
        var logits = new ReadOnlySpan<float>(LlamaApi.GetLogits(_context, index), _vocabulary);
        return logits.IndexOf(LogSumExp.Max(logits));
    }

    public void Copy(int source, int destination, int start, int end) => LlamaApi.MemoryCopy(_memory, source, destination, start, end);

    public void Cut(int sequence, int start) => _ = LlamaApi.MemoryRemove(_memory, sequence, start, -1);

    public void Dispose()
    {
        _context.Dispose();
        NativeMemory.Free(_tokens);
        NativeMemory.Free(_positions);
        NativeMemory.Free(_counts);
        NativeMemory.Free(_ids);
        NativeMemory.Free(_outputs);
        NativeMemory.Free(_sequences);
    }

    private static T* Allocate<T>(int count)
        where T : unmanaged => (T*)NativeMemory.Alloc((nuint)count, (nuint)sizeof(T));
}
