using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

/// <summary>The functions of ggml that are used: what it is, its devices, and its thread pool.</summary>
internal static unsafe partial class GgmlApi
{
    private const string Base = NativeLibraries.GgmlBase;
    private const string Backends = NativeLibraries.Ggml;

    [LibraryImport(Base, EntryPoint = "ggml_version")]
    public static partial byte* Version();

    [LibraryImport(Base, EntryPoint = "ggml_commit")]
    public static partial byte* Commit();

    [LibraryImport(Base, EntryPoint = "ggml_threadpool_params_init")]
    public static partial void ThreadPoolParamsInit(GgmlThreadPoolParams* parameters, int threads);

    [LibraryImport(Base, EntryPoint = "ggml_backend_dev_name")]
    public static partial byte* DeviceName(nint device);

    [LibraryImport(Base, EntryPoint = "ggml_backend_dev_description")]
    public static partial byte* DeviceDescription(nint device);

    [LibraryImport(Base, EntryPoint = "ggml_backend_dev_memory")]
    public static partial void DeviceMemory(nint device, nuint* free, nuint* total);

    [LibraryImport(Base, EntryPoint = "ggml_backend_dev_type")]
    public static partial GgmlDeviceType DeviceType(nint device);

    [LibraryImport(Base, EntryPoint = "ggml_backend_reg_get_proc_address", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendFunction(nint backend, string name);

    [LibraryImport(Backends, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void LoadBackends(string folder);

    [LibraryImport(Backends, EntryPoint = "ggml_backend_load", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoadBackend(string path);

    [LibraryImport(Backends, EntryPoint = "ggml_backend_reg_by_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendByName(string name);

    [LibraryImport(Backends, EntryPoint = "ggml_backend_dev_count")]
    public static partial nuint DeviceCount();

    [LibraryImport(Backends, EntryPoint = "ggml_backend_dev_get")]
    public static partial nint Device(nuint index);
}
