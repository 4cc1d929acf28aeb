using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Hosting;

/// <summary>Puts everything together on the .NET generic host.</summary>
internal static class ConsoleHost
{
    public static IInteraction CreateInteraction(ParseResult parse)
    {
        var json = parse.GetValue(GlobalOptions.Json);
        return new SpectreInteraction(
            TerminalCapabilities.Detect(parse.GetValue(GlobalOptions.NoColor), json),
            json,
            System.Console.In,
            parse.InvocationConfiguration.Output,
            parse.InvocationConfiguration.Error);
    }

    public static IHost Build(ConsoleCommand command, ParseResult parse, IInteraction interaction)
    {
#pragma warning disable RS0030 // The console is where the current folder enters; everything below gets it injected.
        var root = parse.GetValue(GlobalOptions.Root)?.FullName ?? Environment.CurrentDirectory;
#pragma warning restore RS0030
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            ApplicationName = "orchestrator",
            ContentRootPath = root,
            DisableDefaults = true,
        });
        Settings.AddSources(builder.Configuration, root);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddConsole(o => o.FormatterName = RedactingConsoleFormatter.FormatterName)
            .AddConsoleFormatter<RedactingConsoleFormatter, ConsoleFormatterOptions>();
        builder.Services.Configure<ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        var verbose = parse.GetValue(GlobalOptions.Verbose);
        builder.Logging.SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Critical)
            .AddFilter("Orchestrator.Plugins", verbose ? LogLevel.Debug : LogLevel.Warning);

        // Ctrl-C belongs to the command: a run ends in its log, a conversation drops the answer under way.
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.Services.AddSingleton(InterruptHandler.Instance);
        builder.Services.AddSingleton(interaction);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new RootFolder(root));
        command.Configure(parse, builder);
        return builder.Build();
    }

    private sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>The folder that relative paths start from.</summary>
/// <param name="Path">An absolute path.</param>
internal sealed record RootFolder(string Path)
{
    /// <summary>Where the files that ship with the program are: teams, prompts, plugins, the model catalogue.</summary>
    public static string Shipped => AppContext.BaseDirectory;

    /// <summary>A path as a person typed it, made absolute.</summary>
    public string Resolve(string path) => System.IO.Path.GetFullPath(path, Path);

    /// <summary>A path as a person would type it: relative where it is below this folder.</summary>
    public string Shorten(string path) =>
        System.IO.Path.GetRelativePath(Path, path) is var relative && relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
}
