using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Plugins.BuiltIn;
using Orchestrator.Agents.Plugins.Loading;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins;

/// <summary>All plugins that teams can name: the built-in ones, and one for each folder that holds a <c>plugin.yaml</c>.</summary>
public sealed class PluginCatalogue
{
    private readonly AgentsOptions _options;
    private readonly IServiceProvider _services;
    private readonly ILoggerFactory _loggerFactory;

    /// <summary>Creates a catalogue; nothing is read or started yet.</summary>
    /// <param name="options">The folders, what is switched on, and what is approved.</param>
    /// <param name="services">What plugins' constructors may take; null for nothing.</param>
    /// <param name="loggerFactory">Hears what MCP servers write to standard error, and of plugins that do not close.</param>
    public PluginCatalogue(
        AgentsOptions options, IServiceProvider? services = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _services = services ?? NoServices.Instance;
        _loggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
    }

    /// <summary>The JSON schema of <c>plugin.yaml</c>, for editors.</summary>
    public static string JsonSchema => PluginManifestFile.JsonSchema;

    /// <summary>Reads one manifest.</summary>
    /// <param name="path">The <c>plugin.yaml</c>.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="DefinitionException">The file can't be read or is wrong.</exception>
    public static PluginManifest ReadFile(string path) =>
        DefinitionFile.Read(Path.GetFullPath(path), PluginManifestFile.Read);

    /// <summary>Looks for plugins.</summary>
    /// <returns>The manifests by name, and what is wrong with those that can't be read.</returns>
    public PluginListing List()
    {
        var manifests = new SortedDictionary<string, PluginManifest>(StringComparer.Ordinal);
        var errors = new List<DefinitionError>();
        foreach (var path in _options.PluginFolders.Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateDirectories(f).Order(StringComparer.Ordinal))
            .Select(f => Path.Combine(f, PluginManifestFile.FileName))
            .Where(File.Exists))
        {
            try
            {
                var manifest = ReadFile(path);
                manifests.TryAdd(manifest.Name, manifest);
            }
            catch (DefinitionException e)
            {
                errors.AddRange(e.Errors);
            }
        }

        // A folder can't take the place of a built-in plugin, whose rules people know.
        foreach (var builtIn in BuiltInPlugins.All)
        {
            manifests[builtIn.Manifest.Name] = builtIn.Manifest;
        }

        return new PluginListing([.. manifests.Values], errors);
    }

    /// <summary>Whether teams may use a plugin.</summary>
    /// <param name="manifest">The plugin.</param>
    /// <returns>True where it is on by itself or by the settings.</returns>
    public bool IsEnabled(PluginManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return manifest.Enabled || _options.Enable.Contains(manifest.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Opens plugins for a run.</summary>
    /// <param name="names">The plugins' names.</param>
    /// <param name="context">Where they work.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The open plugins; disposing closes them.</returns>
    /// <exception cref="OrchestratorException">A plugin is unknown, broken, or switched off.</exception>
    public async Task<PluginSet> OpenAsync(
        IEnumerable<string> names, PluginContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(context);
        var listing = List();
        var open = new List<OpenPlugin>();
        try
        {
            foreach (var name in names.Distinct(StringComparer.Ordinal))
            {
                open.Add(await OpenAsync(Find(listing, name), context, cancellationToken).ConfigureAwait(false));
            }

            return Set(open, context);
        }
        catch
        {
            await Set(open, context).DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Describes what teams may call of a plugin, without a run: no constructor of a C# plugin is called.</summary>
    /// <param name="name">The plugin's name.</param>
    /// <param name="context">Where an MCP server is started.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>Its functions.</returns>
    /// <exception cref="OrchestratorException">The plugin is unknown, broken, or switched off.</exception>
    public async Task<IReadOnlyList<PluginFunction>> DescribeAsync(
        string name, PluginContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var manifest = Find(List(), name);
        var plugin = manifest.Kind == PluginKind.Assembly
            ? AssemblyPluginLoader.Describe(manifest)
            : await OpenAsync(manifest, context, cancellationToken).ConfigureAwait(false);
        await using var set = Set([plugin], context);
        return
        [
            .. set.Plugins[0].Select(f =>
            {
                var tool = $"{name}-{f.Name}";
                return new PluginFunction(tool, f.Description, f.Metadata.Parameters, set.PolicyOf(tool));
            }),
        ];
    }

    private PluginManifest Find(PluginListing listing, string name)
    {
        if (listing.Plugins.FirstOrDefault(p => p.Name == name) is { } manifest)
        {
            return IsEnabled(manifest) ? manifest : throw new PluginException(
                name, "it is switched off.", $"Switch it on with the setting Orchestrator:Agents:Enable:0 = {name}.");
        }

        // The manifest that was meant may be the broken one.
        var broken = listing.Errors
            .Where(e => Path.GetFileName(Path.GetDirectoryName(e.File)) == name)
            .ToArray();
        throw broken.Length > 0 ? new DefinitionException(broken) : new OrchestratorException(
            ErrorKind.Configuration,
            Spelling.Sentence($"There is no plugin '{name}'{Spelling.Hint(name, [.. listing.Plugins.Select(p => p.Name)])}"),
            "Run `orchestrator plugin list` to see what there is.");
    }

    private async Task<OpenPlugin> OpenAsync(
        PluginManifest manifest, PluginContext context, CancellationToken cancellationToken) => manifest.Kind switch
        {
            PluginKind.BuiltIn => BuiltInPlugins.All.Single(p => p.Manifest.Name == manifest.Name).Open(context),
            PluginKind.Assembly => await AssemblyPluginLoader.LoadAsync(manifest, context, _services, cancellationToken).ConfigureAwait(false),
            PluginKind.Prompts => PromptPluginLoader.Load(manifest),
            _ => await McpPluginLoader.LoadAsync(manifest, context, _loggerFactory, cancellationToken).ConfigureAwait(false),
        };

    private PluginSet Set(IReadOnlyList<OpenPlugin> open, PluginContext context) =>
        new(open, Adjust, context.TimeProvider, _loggerFactory.CreateLogger("Orchestrator.Plugins"));

    /// <summary>What the settings say about approval goes before what the manifest says.</summary>
    private ToolPolicy Adjust(string plugin, string function, ToolPolicy policy) =>
        _options.Approvals.TryGetValue($"{plugin}-{function}", out var approval) || _options.Approvals.TryGetValue(plugin, out approval)
            ? policy with { Approval = approval }
            : policy;

    private sealed class NoServices : IServiceProvider
    {
        public static NoServices Instance { get; } = new();

        public object? GetService(Type serviceType) => null;
    }
}

/// <summary>What a <see cref="PluginCatalogue"/> found.</summary>
/// <param name="Plugins">The plugins, by name in ordinal order.</param>
/// <param name="Errors">What is wrong with manifests that can't be read.</param>
public sealed record PluginListing(IReadOnlyList<PluginManifest> Plugins, IReadOnlyList<DefinitionError> Errors);

/// <summary>A function of a plugin, as teams see it.</summary>
/// <param name="Tool">The name by which models call it: the plugin's, a hyphen, and its own.</param>
/// <param name="Description">What it does.</param>
/// <param name="Parameters">What it takes.</param>
/// <param name="Policy">What it may change, who approves it, and how long it may take.</param>
public sealed record PluginFunction(
    string Tool, string Description, IReadOnlyList<KernelParameterMetadata> Parameters, ToolPolicy Policy);
