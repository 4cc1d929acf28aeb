using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

/// <summary>
/// A context with what it points at: it keeps its model alive, and owns its abort flag and thread pool.
/// </summary>
internal sealed unsafe class ContextHandle : SafeHandle
{
    private readonly ModelHandle _model;
    private readonly byte* _abortFlag;
    private readonly List<nint> _pools = [];
    private int _poolThreads;

    private ContextHandle(ModelHandle model)
        : base(0, ownsHandle: true)
    {
        _model = model;
        _abortFlag = (byte*)NativeMemory.AllocZeroed(2);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Makes a context; null where the library refuses.</summary>
    public static ContextHandle? Create(ModelHandle model, LlamaContextParams parameters)
    {
        var context = new ContextHandle(model);
        parameters.AbortCallback = LibC.StringLength;
        parameters.AbortData = context._abortFlag;
        var pointer = LlamaApi.InitFromModel(model, parameters);
        if (pointer == 0)
        {
            NativeMemory.Free(context._abortFlag);
            context.SetHandleAsInvalid();
            return null;
        }

        var added = false;
        model.DangerousAddRef(ref added);
        context.SetHandle(pointer);
        return context;
    }

    /// <summary>Whether a running decode shall stop. See <see cref="LibC.StringLength"/>.</summary>
    public bool Abort
    {
        set => Volatile.Write(ref *_abortFlag, (byte)(value ? 1 : 0));
    }

    /// <summary>
    /// Sets the threads and keeps a pool of at least as many: without one the library makes and drops a pool for every
    /// graph.
    /// </summary>
    public void SetThreads(int decode, int batch)
    {
        var needed = Math.Max(decode, batch);
        if (needed > _poolThreads)
        {
            var pool = NativeRuntime.CreateThreadPool(needed);
            LlamaApi.AttachThreadPool(handle, pool, pool);

            // The backend still points at the pool before it and pauses it at the next graph, so it is freed at the end.
            _pools.Add(pool);
            _poolThreads = needed;
        }

        LlamaApi.SetThreads(this, decode, batch);
    }

    protected override bool ReleaseHandle()
    {
        LlamaApi.DetachThreadPool(handle);
        LlamaApi.Free(handle);
        _pools.ForEach(NativeRuntime.FreeThreadPool);
        NativeMemory.Free(_abortFlag);
        _model.DangerousRelease();
        return true;
    }
}
