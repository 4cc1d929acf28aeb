using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;

namespace Orchestrator.Inference.Native;

/// <summary>
/// The native library in this process: loaded once, checked against what the bindings expect, never unloaded.
/// </summary>
public static unsafe class NativeRuntime
{
    private static readonly Lock Gate = new();
    private static string? _folder;
    private static delegate* unmanaged[Cdecl]<GgmlThreadPoolParams*, nint> _threadPoolNew;
    private static delegate* unmanaged[Cdecl]<nint, void> _threadPoolFree;

    /// <summary>Loads the library if that has not been done. Safe to call from any thread.</summary>
    /// <param name="logger">Gets the library's messages from now on; null leaves the one before.</param>
    /// <exception cref="OrchestratorException">The library is missing, cannot be loaded, or is another version.</exception>
    public static void EnsureLoaded(ILogger? logger = null)
    {
        if (logger is not null)
        {
            NativeLog.Logger = logger;
        }

        lock (Gate)
        {
            if (_folder is null)
            {
                var folder = NativeLibraries.FindFolder();
                Load(folder);
                _folder = folder;
            }
        }
    }

    /// <summary>What the library is and what it found on this machine. Loads it if that has not been done.</summary>
    /// <returns>A description; memory figures are those of this moment.</returns>
    /// <exception cref="OrchestratorException">The library is missing, cannot be loaded, or is another version.</exception>
    public static NativeDescription Describe()
    {
        EnsureLoaded();
        var devices = new List<NativeDevice>();
        for (nuint index = 0; index < GgmlApi.DeviceCount(); index++)
        {
            var device = GgmlApi.Device(index);
            nuint free, total;
            GgmlApi.DeviceMemory(device, &free, &total);
            devices.Add(new NativeDevice(
                NativeFingerprint.Text(GgmlApi.DeviceName(device)),
                NativeFingerprint.Text(GgmlApi.DeviceDescription(device)),
                GgmlApi.DeviceType(device) is GgmlDeviceType.Gpu or GgmlDeviceType.IntegratedGpu,
                (long)free,
                (long)total));
        }

        return new NativeDescription(
            _folder!,
            NativeFingerprint.Text(LlamaApi.Version()),
            $"{NativeFingerprint.Text(GgmlApi.Version())} ({NativeFingerprint.Text(GgmlApi.Commit())})",
            NativeFingerprint.Text(LlamaApi.SystemInfo()).Trim(' ', '|'),
            CpuLibrary(),
            devices);
    }

    internal static nint CreateThreadPool(int threads)
    {
        GgmlThreadPoolParams parameters;
        GgmlApi.ThreadPoolParamsInit(&parameters, threads);
        var pool = _threadPoolNew(&parameters);
        return pool != 0 ? pool : throw new OrchestratorException(
            ErrorKind.Model, $"A pool of {threads} compute threads could not be started.", "Use fewer threads.");
    }

    internal static void FreeThreadPool(nint pool)
    {
        if (pool != 0)
        {
            _threadPoolFree(pool);
        }
    }

    private static void Load(string folder)
    {
        // Read by the library when it loads. With backtraces on, a failing assertion starts a debugger.
        LibC.SetEnvironment("GGML_NO_BACKTRACE", "1");
        NativeLibraries.Load(folder);
        NativeFingerprint.Check(folder);
        LlamaApi.LogSet(NativeLog.Callback, null);
        GgmlApi.LoadBackends(folder);
        LoadFallback(folder);
        LlamaApi.BackendInit();

        var cpu = GgmlApi.BackendByName("CPU");
        if (cpu == 0)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"None of the CPU backends in {folder} runs on this processor.",
                "Delete the folder and artifacts/native, and build again on this machine.");
        }

        _threadPoolNew = (delegate* unmanaged[Cdecl]<GgmlThreadPoolParams*, nint>)GgmlApi.BackendFunction(cpu, "ggml_threadpool_new");
        _threadPoolFree = (delegate* unmanaged[Cdecl]<nint, void>)GgmlApi.BackendFunction(cpu, "ggml_threadpool_free");
    }

    // The CUDA variant brings a second build for drivers and cards that the first does not know.
    private static void LoadFallback(string folder)
    {
        var fallback = Path.Combine(folder, "fallback");
        if (Directory.Exists(fallback) && GgmlApi.DeviceCount() <= 1)
        {
            foreach (var path in Directory.EnumerateFiles(fallback))
            {
                _ = GgmlApi.LoadBackend(path);
            }
        }
    }

    private static string? CpuLibrary()
    {
        using var process = Process.GetCurrentProcess();
        return process.Modules.Cast<ProcessModule>()
            .Select(module => Path.GetFileNameWithoutExtension(module.FileName))
            .FirstOrDefault(name => name.Contains("ggml-cpu", StringComparison.Ordinal));
    }
}
