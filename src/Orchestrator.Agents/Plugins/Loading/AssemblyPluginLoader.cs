using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Orchestrator.Core;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>Makes a plugin of a .NET assembly.</summary>
internal static class AssemblyPluginLoader
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(30);

    public static async Task<OpenPlugin> LoadAsync(
        PluginManifest manifest, PluginContext context, IServiceProvider services, CancellationToken cancellationToken)
    {
        var scope = new PluginServices(context, services);

        // On another thread: a constructor that never returns must not hold up whoever opens the plugin.
        var loading = Task.Run(() => Load(manifest, type => Create(manifest, type, scope), DisposeAsync), CancellationToken.None);
        try
        {
            return await loading.WaitAsync(StartDeadline, context.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Abandon(loading);
            cancellationToken.ThrowIfCancellationRequested();
            throw new PluginException(
                manifest.Name,
                $"its constructors did not return within {StartDeadline.TotalSeconds:0} s.",
                $"Mend the plugin in {manifest.Folder}, or take it out of the team.",
                e);
        }
    }

    /// <summary>
    /// Loads what a plugin's functions look like. No constructor runs, since it may need what only a run has; the
    /// functions can't be called.
    /// </summary>
    public static OpenPlugin Describe(PluginManifest manifest) => Load(manifest, Blank, _ => ValueTask.CompletedTask);

    private static OpenPlugin Load(
        PluginManifest manifest, Func<Type, object> create, Func<List<object>, ValueTask> release)
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
            foreach (var type in FunctionTypes(manifest.Name, loadContext.LoadFromAssemblyPath(path)))
            {
                instances.Add(create(type));
            }

            var functions = instances.SelectMany(i => KernelPluginFactory.CreateFromObject(i, manifest.Name));
            var plugin = KernelPluginFactory.CreateFromFunctions(manifest.Name, manifest.Description, functions);
            return new OpenPlugin(manifest, plugin, async () =>
            {
                await release(instances).ConfigureAwait(false);
                loadContext.Unload();
            });
        }
        catch (Exception e) when (e is not PluginException)
        {
            loadContext.Unload();
            throw new PluginException(manifest.Name, $"its assembly {path} can't be loaded: {e.Message}", $"Build it again: dotnet build {manifest.Folder}", e);
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

    /// <summary>Closes a plugin that opens after nobody waits for it any more.</summary>
    private static void Abandon(Task<OpenPlugin> loading) => _ = loading.ContinueWith(
        late => late.IsCompletedSuccessfully ? late.Result.CloseAsync!().AsTask() : Task.FromResult(late.Exception),
        CancellationToken.None,
        TaskContinuationOptions.None,
        TaskScheduler.Default);

    private static object Create(PluginManifest manifest, Type type, IServiceProvider services)
    {
        try
        {
            return ActivatorUtilities.CreateInstance(services, type);
        }
        catch (Exception e)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;

            // What a plugin reports by itself says what to do about it; anything else is a fault of the plugin.
            throw cause is OrchestratorException reported
                ? new PluginException(manifest.Name, reported.Message, reported.Remedy, reported)
                : new PluginException(
                    manifest.Name,
                    $"the constructor of {type.FullName} failed: {cause.Message}",
                    $"Mend the plugin in {manifest.Folder}, or take it out of the team.",
                    cause);
        }
    }

    private static object Blank(Type type)
    {
        var blank = RuntimeHelpers.GetUninitializedObject(type);
        GC.SuppressFinalize(blank);
        return blank;
    }

    private static async ValueTask DisposeAsync(List<object> instances)
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
    }
}
