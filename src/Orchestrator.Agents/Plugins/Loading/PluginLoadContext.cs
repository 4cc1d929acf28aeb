using System.Reflection;
using System.Runtime.Loader;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>
/// Where one plugin's assemblies live: its own versions of everything but what it exchanges objects with the host
/// through. Collectible, so that a plugin can be dropped.
/// </summary>
internal sealed class PluginLoadContext(string name, string assemblyPath) : AssemblyLoadContext(name, isCollectible: true)
{
    // Types of these cross the border, so both sides must have the same ones.
    private static readonly string[] Shared =
    [
        "Microsoft.SemanticKernel.", "Microsoft.Extensions.AI.", "Microsoft.Extensions.Logging.",
        "Microsoft.Extensions.DependencyInjection.", "Microsoft.Extensions.Options", "Orchestrator.Core", "System.", "netstandard",
    ];

    private readonly AssemblyDependencyResolver _resolver = new(assemblyPath);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var simpleName = assemblyName.Name ?? "";
        if (Shared.Any(s => simpleName.StartsWith(s, StringComparison.Ordinal)) && IsKnownToHost(assemblyName))
        {
            return null;
        }

        return _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    private static bool IsKnownToHost(AssemblyName assemblyName)
    {
        try
        {
            return Default.LoadFromAssemblyName(assemblyName) is not null;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }
}
