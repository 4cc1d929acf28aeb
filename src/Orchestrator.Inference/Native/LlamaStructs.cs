using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

// The structs of llama.h at v0.5.0 (64-bit). Every field is placed explicitly, so that a change of the header shows as
// a changed number; NativeFingerprint compares the library's defaults with them before anything else is called.
// A C bool is one byte.

/// <summary><c>struct llama_model_params</c>, 80 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal unsafe struct LlamaModelParams
{
    [FieldOffset(0)] public nint Devices;
    [FieldOffset(8)] public nint TensorBufferOverrides;
    [FieldOffset(16)] public int GpuLayers;
    [FieldOffset(20)] public int SplitMode;
    [FieldOffset(24)] public int LoadMode;
    [FieldOffset(28)] public int LazyMode;
    [FieldOffset(32)] public int MainGpu;
    [FieldOffset(40)] public nint TensorSplit;
    [FieldOffset(48)] public delegate* unmanaged[Cdecl]<float, void*, byte> ProgressCallback;
    [FieldOffset(56)] public void* ProgressUserData;
    [FieldOffset(64)] public nint KvOverrides;
    [FieldOffset(72)] public byte VocabOnly;
    [FieldOffset(73)] public byte CheckTensors;
    [FieldOffset(74)] public byte UseExtraBuffers;
    [FieldOffset(75)] public byte NoHost;
    [FieldOffset(76)] public byte NoAlloc;
    [FieldOffset(77)] public byte LoadMtp;
}

/// <summary><c>struct llama_context_params</c>, 160 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 160)]
internal unsafe struct LlamaContextParams
{
    [FieldOffset(0)] public uint ContextSize;
    [FieldOffset(4)] public uint BatchSize;
    [FieldOffset(8)] public uint MicroBatchSize;
    [FieldOffset(12)] public uint MaxSequences;
    [FieldOffset(16)] public uint RecurrentSnapshots;
    [FieldOffset(20)] public uint MaxOutputs;
    [FieldOffset(24)] public uint MaxOutputsPerSequence;
    [FieldOffset(28)] public int Threads;
    [FieldOffset(32)] public int BatchThreads;
    [FieldOffset(36)] public int ContextType;
    [FieldOffset(40)] public int RopeScalingType;
    [FieldOffset(44)] public int PoolingType;
    [FieldOffset(48)] public int AttentionType;
    [FieldOffset(52)] public int FlashAttention;
    [FieldOffset(56)] public float RopeFrequencyBase;
    [FieldOffset(60)] public float RopeFrequencyScale;
    [FieldOffset(64)] public float YarnExtFactor;
    [FieldOffset(68)] public float YarnAttnFactor;
    [FieldOffset(72)] public float YarnBetaFast;
    [FieldOffset(76)] public float YarnBetaSlow;
    [FieldOffset(80)] public uint YarnOriginalContext;
    [FieldOffset(84)] public float DefragThreshold;
    [FieldOffset(88)] public nint EvalCallback;
    [FieldOffset(96)] public nint EvalUserData;
    [FieldOffset(104)] public int TypeK;
    [FieldOffset(108)] public int TypeV;
    [FieldOffset(112)] public nint AbortCallback;
    [FieldOffset(120)] public byte* AbortData;
    [FieldOffset(128)] public byte Embeddings;
    [FieldOffset(129)] public byte OffloadKqv;
    [FieldOffset(130)] public byte NoPerf;
    [FieldOffset(131)] public byte OpOffload;
    [FieldOffset(132)] public byte SlidingWindowFull;
    [FieldOffset(133)] public byte UnifiedKv;
    [FieldOffset(136)] public nint Samplers;
    [FieldOffset(144)] public nuint SamplerCount;
    [FieldOffset(152)] public nint OtherContext;
}

/// <summary><c>struct llama_batch</c>, 56 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct LlamaBatch
{
    [FieldOffset(0)] public int Count;
    [FieldOffset(8)] public int* Tokens;
    [FieldOffset(16)] public float* Embeddings;
    [FieldOffset(24)] public int* Positions;
    [FieldOffset(32)] public int* SequenceCounts;
    [FieldOffset(40)] public int** Sequences;
    [FieldOffset(48)] public sbyte* Outputs;
}

/// <summary><c>struct ggml_threadpool_params</c>, 528 bytes; the first 512 are the CPU mask.</summary>
[StructLayout(LayoutKind.Explicit, Size = 528)]
internal struct GgmlThreadPoolParams
{
    [FieldOffset(512)] public int Threads;
    [FieldOffset(516)] public int Priority;
    [FieldOffset(520)] public uint Poll;
    [FieldOffset(524)] public byte StrictCpu;
    [FieldOffset(525)] public byte Paused;
}

/// <summary><c>enum llama_token_attr</c>.</summary>
[Flags]
internal enum TokenAttributes
{
    None = 0,
    Unknown = 1 << 0,
    Unused = 1 << 1,
    Normal = 1 << 2,
    Control = 1 << 3,
    UserDefined = 1 << 4,
    Byte = 1 << 5,
}

/// <summary><c>enum ggml_backend_dev_type</c>.</summary>
internal enum GgmlDeviceType
{
    Cpu,
    Gpu,
    IntegratedGpu,
    Accelerator,
    Meta,
}
