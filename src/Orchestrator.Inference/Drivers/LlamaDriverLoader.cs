using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>Opens models with llama.cpp.</summary>
public static unsafe class LlamaDriverLoader
{
    /// <summary>The most compute threads that the library takes (<c>GGML_MAX_N_THREADS</c>).</summary>
    public const int MaxThreads = 512;

    private const int MostSequences = 256;
    private const int FlashAttentionEnabled = 1;
    private const int PoolingNone = 0;

    /// <summary>Loads a model and makes its context.</summary>
    /// <param name="options">What and how.</param>
    /// <param name="logger">Gets the library's messages, or null.</param>
    /// <param name="progress">Told the share loaded, 0 to 1, on a thread of the library; must not block; or null.</param>
    /// <param name="cancellationToken">Stops the loading.</param>
    /// <returns>The driver; dispose it to free the memory.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="OrchestratorException">The model is missing, broken, or does not fit; the error says what to do.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IModelDriver Open(
        LlamaDriverOptions options,
        ILogger? logger = null,
        IProgress<float>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Validate(options);

        // The native loader ends the process on some broken files, so it sees only those that were found sound.
        var file = GgufValidator.ReadValid(options.ModelPath, cancellationToken);
        NativeRuntime.EnsureLoaded(logger);
        RequireMemory(file, options);
        var model = LoadModel(options, progress, cancellationToken);
        try
        {
            RequireDecoder(model, options);
            RequireSequences(model, options);
            var context = CreateContext(model, options);
            try
            {
                return new LlamaDriver(model, context, Describe(model, context, options) with { StateFingerprint = Fingerprint(options) }, file, WindowOf(model));
            }
            catch
            {
                context.Dispose();
                throw;
            }
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void Validate(LlamaDriverOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.ContextSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSequences, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxSequences, MostSequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, options.MaxSequences);
        if (options.ContextSize > 0)
        {
            // The library shortens the batch to the context, and asserts that it holds a token of each sequence.
            ArgumentOutOfRangeException.ThrowIfLessThan(options.ContextSize, options.MaxSequences);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(options.MicroBatchSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MicroBatchSize, options.BatchSize);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Threads, MaxThreads);
    }

    private static ModelHandle LoadModel(LlamaDriverOptions options, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        var parameters = LlamaApi.ModelDefaultParams();
        parameters.GpuLayers = options.GpuLayers;
        parameters.ProgressCallback = &OnProgress;
        var loading = GCHandle.Alloc(new Loading(progress, cancellationToken));
        try
        {
            parameters.ProgressUserData = (void*)GCHandle.ToIntPtr(loading);
            NativeLog.CollectErrors();
            var model = LlamaApi.ModelLoadFromFile(options.ModelPath, parameters);
            var errors = NativeLog.TakeErrors();
            if (!model.IsInvalid)
            {
                return model;
            }

            model.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new OrchestratorException(
                ErrorKind.Model, $"llama.cpp cannot load the model {options.ModelPath}: {errors}.", "Verify or pull the file again.");
        }
        finally
        {
            loading.Free();
        }
    }

    /// <summary>Refuses a model that would not fit.</summary>
    /// <exception cref="OrchestratorException">It doesn't; the error names the context that would.</exception>
    internal static void RequireMemory(GgufModel file, LlamaDriverOptions options)
    {
        if (!options.CheckMemory)
        {
            return;
        }

        var card = ModelCard.Of(file);
        var batch = options.Embeddings || options.MicroBatchSize == 0 ? options.BatchSize : options.MicroBatchSize;
        var assumptions = new MemoryAssumptions
        {
            Batch = batch,
            Sequences = options.MaxSequences,
            CacheElementBytes = options.KvCache switch
            {
                KvCacheType.Float32 => 4,
                KvCacheType.Int8 => 34.0 / 32,
                _ => 2,
            },
        };
        card.RequireMemory(options.ContextSize > 0 ? options.ContextSize : card.Context, AvailableMemory(options), assumptions);
    }

    // On a GPU the weights and the cache are kept there; with several, the library spreads them.
    private static long AvailableMemory(LlamaDriverOptions options)
    {
        var main = Hardware.Detect().AvailableMemory;
        if (options.GpuLayers == 0)
        {
            return main;
        }

        var gpu = NativeRuntime.Describe().Devices.Where(device => device.IsGpu).Sum(device => device.FreeBytes);
        return options.GpuLayers < 0 && gpu > 0 ? gpu : main + gpu;
    }

    private static void RequireDecoder(ModelHandle model, LlamaDriverOptions options)
    {
        var diffusion = LlamaApi.ModelIsDiffusion(model);
        var encoder = LlamaApi.ModelHasEncoder(model) && LlamaApi.ModelHasDecoder(model);
        if (diffusion || encoder)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"The model {options.ModelPath} is {(diffusion ? "a diffusion model" : "an encoder-decoder model")}, which is not supported.",
                "Use a model that generates from left to right.");
        }
    }

    private static bool CanCut(ModelHandle model) => !LlamaApi.ModelIsRecurrent(model) && !LlamaApi.ModelIsHybrid(model);

    /// <summary>How far the layers with a sliding window look back, where that needs care; else 0.</summary>
    private static int WindowOf(ModelHandle model) => CanCut(model) ? LlamaApi.ModelSlidingWindow(model) : 0;

    /// <summary>Refuses sequences of which, with their twins, a batch can't hold a token each: the library asserts that.</summary>
    private static void RequireSequences(ModelHandle model, LlamaDriverOptions options)
    {
        // The library shortens the batch to the context.
        var context = options.ContextSize > 0 ? options.ContextSize : LlamaApi.ModelTrainedContext(model);
        var window = WindowOf(model);
        var most = LlamaMemory.MostOf(Math.Min(MostSequences, Math.Min(options.BatchSize, context)), window);
        if (options.MaxSequences > most)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"The model {options.ModelPath}{(window > 0 ? " looks back over a sliding window, and" : "")} can serve {most} sequences at once, not {options.MaxSequences}, with a batch of {options.BatchSize} and a context of {context} tokens.",
                $"Ask for {(most > 0 ? $"at most {most} sequences, or for " : "")}a larger batch and a longer context.");
        }
    }

    private static ContextHandle CreateContext(ModelHandle model, LlamaDriverOptions options)
    {
        var threads = ThreadsOf(options);
        var parameters = LlamaApi.ContextDefaultParams();
        parameters.ContextSize = (uint)options.ContextSize;
        parameters.BatchSize = (uint)options.BatchSize;

        // Attention without a causal mask needs the whole batch at once, so embeddings are computed so.
        parameters.MicroBatchSize = (uint)(options.Embeddings || options.MicroBatchSize == 0 ? options.BatchSize : options.MicroBatchSize);
        parameters.MaxSequences = (uint)LlamaMemory.CountNative(options.MaxSequences, WindowOf(model));
        parameters.Threads = threads;
        parameters.BatchThreads = threads;
        parameters.UnifiedKv = 1;
        parameters.NoPerf = 1;

        // With the whole sliding-window cache kept, and none of it taken away (see LlamaMemory), such models can be cut
        // anywhere.
        parameters.SlidingWindowFull = 1;
        parameters.Embeddings = (byte)(options.Embeddings ? 1 : 0);
        if (options.Embeddings)
        {
            parameters.PoolingType = PoolingNone;
        }

        parameters.TypeK = parameters.TypeV = options.KvCache switch
        {
            KvCacheType.Float32 => 0,
            KvCacheType.Int8 => 8,
            _ => 1,
        };
        if (options.KvCache == KvCacheType.Int8)
        {
            parameters.FlashAttention = FlashAttentionEnabled;
        }

        NativeLog.CollectErrors();
        var context = ContextHandle.Create(model, parameters);
        var errors = NativeLog.TakeErrors();
        if (context is null)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"llama.cpp cannot make a context of {options.ContextSize} tokens for {options.ModelPath}: {errors}.",
                options.KvCache == KvCacheType.Int8 ? "Ask for a shorter context, or keep the cache in 16 bits." : "Ask for a shorter context.");
        }

        try
        {
            context.SetThreads(threads, threads);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static int ThreadsOf(LlamaDriverOptions options) =>
        options.Threads > 0 ? options.Threads : Hardware.Detect().RecommendedThreads;

    private static DriverInfo Describe(ModelHandle model, ContextHandle context, LlamaDriverOptions options)
    {
        var architecture = Metadata(model, "general.architecture") ?? "";
        return new DriverInfo
        {
            Name = Metadata(model, "general.name") ?? Path.GetFileNameWithoutExtension(options.ModelPath),
            Architecture = architecture,
            ContextSize = (int)LlamaApi.ContextSize(context),
            TrainedContext = LlamaApi.ModelTrainedContext(model),
            MaxSequences = options.MaxSequences,
            BatchSize = (int)LlamaApi.BatchSize(context),
            EmbeddingLength = LlamaApi.ModelEmbeddingLength(model),
            CanCut = CanCut(model),
            Threads = options.GpuLayers != 0 && GgmlApi.DeviceCount() > 1 ? 0 : ThreadsOf(options),
            ChatTemplate = Marshal.PtrToStringUTF8((nint)LlamaApi.ModelChatTemplate(model, null)),
            Pooling = Metadata(model, architecture + ".pooling_type") switch
            {
                "2" => EmbeddingPooling.First,
                "3" => EmbeddingPooling.Last,
                _ => EmbeddingPooling.Mean,
            },
            Embeddings = options.Embeddings,
        };
    }

    private static string? Metadata(ModelHandle model, string key)
    {
        Span<byte> buffer = stackalloc byte[512];
        fixed (byte* destination = buffer)
        {
            var length = LlamaApi.ModelMetadata(model, key, destination, (nuint)buffer.Length);
            return length < 0 ? null : Encoding.UTF8.GetString(buffer[..Math.Min(length, buffer.Length - 1)]);
        }
    }

    /// <summary>Tells models apart for saved states, by their content and the cache's type.</summary>
    private static ulong Fingerprint(LlamaDriverOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ModelFingerprint.AppendFile(hash, options.ModelPath);
        hash.AppendData([(byte)options.KvCache]);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnProgress(float share, void* userData)
    {
        try
        {
            var loading = (Loading)GCHandle.FromIntPtr((nint)userData).Target!;
            loading.Progress?.Report(share);
            return (byte)(loading.CancellationToken.IsCancellationRequested ? 0 : 1);
        }
        catch (Exception)
        {
            // An exception must not cross native frames; the loading is given up instead.
            return 0;
        }
    }

    private sealed record Loading(IProgress<float>? Progress, CancellationToken CancellationToken);
}
