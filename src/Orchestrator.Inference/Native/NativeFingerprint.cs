using System.Runtime.InteropServices;
using Orchestrator.Core;

namespace Orchestrator.Inference.Native;

/// <summary>
/// What the bindings were written against. A library with another layout of its structs would corrupt memory, so it is
/// refused before any other call.
/// </summary>
internal static unsafe class NativeFingerprint
{
    public const string LlamaVersion = "0.5.0-dev";
    public const string GgmlVersion = "0.25.1";
    public const string GgmlCommit = "0ad4a86";

    /// <summary>Throws unless the loaded library is the one that the bindings describe.</summary>
    public static void Check(string folder)
    {
        string found;
        try
        {
            found = Describe(Text(LlamaApi.Version()), Text(GgmlApi.Version()), Text(GgmlApi.Commit()));
        }
        catch (EntryPointNotFoundException)
        {
            found = "a llama.cpp that does not tell its version";
        }

        Require(folder, Describe(LlamaVersion, GgmlVersion, GgmlCommit), found);
        Require(folder, "model defaults -1 1 -1 1 1, context defaults 512 2048 512 1 1 4 -1 1 1 1 1 1 0", Defaults());
    }

    /// <summary>Compares what is expected with what was found.</summary>
    public static void Require(string folder, string expected, string found)
    {
        if (found != expected)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"The native library in {folder} is not the one that this program was built for: expected {expected}, found {found}.",
                "Delete the folder and artifacts/native, and build again.");
        }
    }

    public static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static string Describe(string llama, string ggml, string commit) =>
        $"llama.cpp {llama} with ggml {ggml} ({commit})";

    // Fields from the beginning, the middle and the end of both structs.
    private static string Defaults()
    {
        var model = LlamaApi.ModelDefaultParams();
        var context = LlamaApi.ContextDefaultParams();
        return $"model defaults {model.GpuLayers} {model.SplitMode} {model.LoadMode} {model.LazyMode} {model.UseExtraBuffers}, "
            + $"context defaults {context.ContextSize} {context.BatchSize} {context.MicroBatchSize} {context.MaxSequences} "
            + $"{context.MaxOutputsPerSequence} {context.Threads} {context.FlashAttention} {context.TypeK} {context.TypeV} "
            + $"{context.NoPerf} {context.OpOffload} {context.SlidingWindowFull} {context.UnifiedKv}";
    }
}
