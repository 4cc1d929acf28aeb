namespace Orchestrator.Inference.Native;

/// <summary>What the native library is and what it found on this machine.</summary>
/// <param name="Folder">Where it was loaded from.</param>
/// <param name="LlamaVersion">The version of llama.cpp.</param>
/// <param name="GgmlVersion">The version and commit of ggml.</param>
/// <param name="SystemInfo">The processor features that it uses.</param>
/// <param name="CpuLibrary">The CPU backend that it chose for this processor, or null where it cannot be told.</param>
/// <param name="Devices">The devices that it can compute on, the CPU among them.</param>
public sealed record NativeDescription(
    string Folder,
    string LlamaVersion,
    string GgmlVersion,
    string SystemInfo,
    string? CpuLibrary,
    IReadOnlyList<NativeDevice> Devices);

/// <summary>A device that the native library can compute on.</summary>
/// <param name="Name">Its short name, e.g. <c>CPU</c> or <c>CUDA0</c>.</param>
/// <param name="Description">The maker's name for it.</param>
/// <param name="IsGpu">Whether it is a GPU.</param>
/// <param name="FreeBytes">Memory that is free.</param>
/// <param name="TotalBytes">Memory in all.</param>
public sealed record NativeDevice(string Name, string Description, bool IsGpu, long FreeBytes, long TotalBytes);
