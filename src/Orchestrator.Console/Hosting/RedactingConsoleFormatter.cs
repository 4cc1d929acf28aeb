using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Orchestrator.Core.Text;

namespace Orchestrator.Console.Hosting;

/// <summary>One line for each log entry, without secrets and without what a terminal would obey.</summary>
internal sealed class RedactingConsoleFormatter(IServiceProvider services) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "redacting";

    // Asked for late: what finds the secrets may itself be made with a logger.
    private readonly Lazy<SecretRedactor> _redactor = new(() => services.GetService<SecretRedactor>() ?? SecretRedactor.None);

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (logEntry.Exception is { } exception)
        {
            text = $"{text} {exception}";
        }

        var line = TerminalText.Sanitize(_redactor.Value.Redact(text)).ReplaceLineEndings(" ");
        textWriter.WriteLine($"{Short(logEntry.LogLevel)}: {logEntry.Category}: {line}");
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
