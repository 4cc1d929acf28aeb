using System.Reflection;
using System.Runtime.InteropServices;
using Orchestrator.Core;

namespace Orchestrator.Inference.Native;

/// <summary>
/// Finds the native libraries beside the program and loads them by full path, so that no library of the system or of
/// another package is picked up. They are never unloaded: their threads outlive any handle.
/// </summary>
internal static class NativeLibraries
{
    public const string Llama = "llama";
    public const string Ggml = "ggml";
    public const string GgmlBase = "ggml-base";
    public const string LibC = "libc";

    private static readonly Dictionary<string, nint> Loaded = [];

    static NativeLibraries() =>
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    /// <summary>The folder that the build fills: <c>runtimes/RID/native/llama</c>.</summary>
    public static string RelativeFolder { get; } = Path.Combine("runtimes", RuntimeIdentifier(), "native", "llama");

    /// <summary>The folder with the libraries.</summary>
    /// <exception cref="OrchestratorException">There is none.</exception>
    public static string FindFolder()
    {
        string?[] roots = [AppContext.BaseDirectory, Path.GetDirectoryName(AssemblyLocation())];
        var folders = roots.Where(root => !string.IsNullOrEmpty(root))
            .Select(root => Path.GetFullPath(Path.Combine(root!, RelativeFolder))).Distinct().ToArray();
        return folders.FirstOrDefault(Directory.Exists) ?? throw new OrchestratorException(
            ErrorKind.Model,
            $"The native library of llama.cpp was not found in {string.Join(" or ", folders)}.",
            "Build again with Node.js and npm installed, which the build uses to restore it, and without "
            + "OrchestratorNative=false; for another platform publish with -r RID.");
    }

    /// <summary>Loads the libraries of a folder; base first, since the others need it.</summary>
    public static void Load(string folder)
    {
        Loaded[GgmlBase] = LoadOne(folder, "ggml-base");
        Loaded[Ggml] = LoadOne(folder, "ggml.");
        Loaded[Llama] = LoadOne(folder, "llama.");
    }

    public static nint LoadLibC() => NativeLibrary.Load(
        OperatingSystem.IsWindows() ? "ucrtbase.dll" : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6");

    /// <summary>
    /// Names carry version and variant (libllama.v0.5.0.so, libllama.cuda.v0.5.0.so, llama.v0.5.0.dll), so they are
    /// matched by their beginning.
    /// </summary>
    private static nint LoadOne(string folder, string name)
    {
        var path = Directory.EnumerateFiles(folder)
            .Where(file => Path.GetFileName(file) is var fileName
                && (fileName.StartsWith("lib" + name, StringComparison.Ordinal) || fileName.StartsWith(name, StringComparison.Ordinal))
                && Path.GetExtension(fileName) is ".so" or ".dylib" or ".dll")
            .Order(StringComparer.Ordinal)
            .FirstOrDefault()
            ?? throw new OrchestratorException(
                ErrorKind.Model,
                $"The native library {name.TrimEnd('.')} is missing in {folder}.",
                "Delete the folder and artifacts/native, and build again.");
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"The native library {path} cannot be loaded: {exception.Message.ReplaceLineEndings(" ").Trim()}",
                "On Linux it needs glibc 2.34 or later and libstdc++ (packages libstdc++6, libgcc-s1); a GPU variant needs its driver.",
                exception);
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name == LibC)
        {
            return LoadLibC();
        }

        return Loaded.GetValueOrDefault(name);
    }

    private static string RuntimeIdentifier()
    {
        var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        var architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 => "arm64",
            var other => other.ToString().ToLowerInvariant(),
        };
        return $"{system}-{architecture}";
    }

    // Empty in a single-file program, whose base directory is searched anyway.
#pragma warning disable IL3000
    private static string AssemblyLocation() => typeof(NativeLibraries).Assembly.Location;
#pragma warning restore IL3000
}
