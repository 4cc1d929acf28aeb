using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

/// <summary>The few functions of the C library that are needed.</summary>
internal static unsafe partial class LibC
{
    /// <summary>
    /// The address of <c>strlen</c>. As llama.cpp's abort callback it returns 0 (go on) for a flag of "\0" and 1 (stop)
    /// for "\1\0", without ever entering managed code from a compute thread.
    /// </summary>
    public static nint StringLength { get; } =
        NativeLibrary.GetExport(NativeLibraries.LoadLibC(), "strlen");

    /// <summary>
    /// Sets a variable where native code reads it: .NET keeps its own copy of the environment on Unix.
    /// </summary>
    public static void SetEnvironment(string name, string value)
    {
        _ = OperatingSystem.IsWindows() ? PutEnvironment(name, value) : SetEnvironment(name, value, 1);
    }

    /// <summary>Gives memory that was freed back to the system, where the C library (glibc) keeps it for later.</summary>
    public static void TrimHeap()
    {
        if (NativeLibrary.TryGetExport(NativeLibraries.LoadLibC(), "malloc_trim", out var trim))
        {
            _ = ((delegate* unmanaged[Cdecl]<nuint, int>)trim)(0);
        }
    }

    [LibraryImport(NativeLibraries.LibC, EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport(NativeLibraries.LibC, EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PutEnvironment(string name, string value);
}
