using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;
using ModelContextProtocol.Client;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>Makes a plugin of an MCP server, which it starts and ends.</summary>
internal static class McpPluginLoader
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(30);

    public static async Task<OpenPlugin> LoadAsync(
        PluginManifest manifest, PluginContext context, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(StartDeadline, context.TimeProvider);
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var logger = loggerFactory.CreateLogger($"Orchestrator.Plugins.{manifest.Name}");
        McpClient? client = null;
        try
        {
            client = await McpClient.CreateAsync(
                Transport(manifest, logger), loggerFactory: loggerFactory, cancellationToken: starting.Token).ConfigureAwait(false);
            var tools = await client.ListToolsAsync(cancellationToken: starting.Token).ConfigureAwait(false);
            var plugin = KernelPluginFactory.CreateFromFunctions(
                manifest.Name, manifest.Description, tools.Select(t => t.AsKernelFunction()));
            return new OpenPlugin(manifest, plugin, client.DisposeAsync);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await DisposeAsync(client).ConfigureAwait(false);
            var what = deadline.IsCancellationRequested
                ? $"it did not answer within {StartDeadline.TotalSeconds:0} s"
                : e.Message;
            throw new PluginException(
                manifest.Name,
                $"its MCP server '{manifest.Command} {string.Join(' ', manifest.Arguments)}' did not start: {what}",
                "Run the command in a terminal to see what it says.",
                e);
        }
        catch
        {
            await DisposeAsync(client).ConfigureAwait(false);
            throw;
        }
    }

    private static StdioClientTransport Transport(PluginManifest manifest, ILogger logger) => new(new StdioClientTransportOptions
    {
        Name = manifest.Name,
        Command = InFolder(manifest, manifest.Command!),
        Arguments = [.. manifest.Arguments.Select(a => InFolder(manifest, a))],
        WorkingDirectory = manifest.Folder,

        // The host's environment may hold secrets that are no business of the server's.
        InheritEnvironmentVariables = false,
        EnvironmentVariables = Environment(manifest),
        StandardErrorLines = line => logger.LogDebug("{Line}", line),
    });

    private static Dictionary<string, string?> Environment(PluginManifest manifest)
    {
        var variables = new Dictionary<string, string?>(StdioClientTransportOptions.GetDefaultEnvironmentVariables());
        foreach (var (name, value) in manifest.Environment)
        {
            variables[name] = value;
        }

        return variables;
    }

    private static string InFolder(PluginManifest manifest, string word) =>
        word.Contains('.', StringComparison.Ordinal) && File.Exists(Path.Combine(manifest.Folder, word))
            ? Path.Combine(manifest.Folder, word)
            : word;

    private static async ValueTask DisposeAsync(McpClient? client)
    {
        if (client is not null)
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }
}
