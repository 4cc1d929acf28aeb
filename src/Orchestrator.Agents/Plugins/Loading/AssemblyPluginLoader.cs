using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>Makes a plugin of a .NET assembly.</summary>
internal static class AssemblyPluginLoader
{
    public static OpenPlugin Load(PluginManifest manifest, PluginContext context, IServiceProvider services)
    {
        var path = Path.GetFullPath(manifest.Assembly!, manifest.Folder);
        if (!File.Exists(path))
        {
            throw new PluginException(
                manifest.Name, $"its assembly {path} is missing.", $"Build it: dotnet build {manifest.Folder}");
        }

        var loadContext = new PluginLoadContext(manifest.Name, path);
        var instances = new List<object>();
        try
        {
            var scope = new PluginServices(context, services);
            foreach (var type in FunctionTypes(manifest.Name, loadContext.LoadFromAssemblyPath(path)))
            {
                instances.Add(Create(manifest.Name, type, scope));
            }

            var functions = instances.SelectMany(i => KernelPluginFactory.CreateFromObject(i, manifest.Name));
            var plugin = KernelPluginFactory.CreateFromFunctions(manifest.Name, manifest.Description, functions);
            return new OpenPlugin(manifest, plugin, () => UnloadAsync(instances, loadContext));
        }
        catch (Exception e) when (e is not PluginException)
        {
            loadContext.Unload();
            throw new PluginException(manifest.Name, $"its assembly {path} can't be loaded: {e.Message}", null, e);
        }
        catch (PluginException)
        {
            loadContext.Unload();
            throw;
        }
    }

    private static List<Type> FunctionTypes(string plugin, Assembly assembly)
    {
        var types = assembly.GetExportedTypes()
            .Where(t => t is { IsAbstract: false, IsClass: true } && t
                .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)
                .Any(m => m.GetCustomAttribute<KernelFunctionAttribute>() is not null))
            .OrderBy(t => t.FullName, StringComparer.Ordinal)
            .ToList();
        return types.Count > 0 ? types : throw new PluginException(
            plugin, $"{assembly.GetName().Name} has no public class with a method marked [KernelFunction].",
            "Mark the methods that teams may call with [KernelFunction].");
    }

    private static object Create(string plugin, Type type, IServiceProvider services)
    {
        try
        {
            return ActivatorUtilities.CreateInstance(services, type);
        }
        catch (Exception e)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            throw new PluginException(plugin, $"the constructor of {type.FullName} failed: {cause.Message}", null, cause);
        }
    }

    private static async ValueTask UnloadAsync(List<object> instances, PluginLoadContext loadContext)
    {
        foreach (var instance in instances)
        {
            if (instance is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync().ConfigureAwait(false);
            }
            else if (instance is IDisposable disposable)
            {
                disposable.Dispose();
            }
        }

        loadContext.Unload();
    }
}
