using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Console.Hosting;
using Orchestrator.Core.Text;

namespace Orchestrator.Console.Tests.Hosting;

public sealed class RedactingConsoleFormatterTests
{
    [Fact]
    public void A_log_line_holds_no_secret_and_no_terminal_escape()
    {
        using var services = new ServiceCollection().AddSingleton(new SecretRedactor("hunter2!")).BuildServiceProvider();

        Assert.Equal(
            "warn: Plugin: token [redacted] red System.IO.IOException: bad [redacted]\n",
            Write(services, "token hunter2! \u001b[31mred", new IOException("bad hunter2!")).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Without_a_redactor_lines_are_written_as_they_are()
    {
        using var services = new ServiceCollection().BuildServiceProvider();

        Assert.Equal("warn: Plugin: one two\n", Write(services, "one\ntwo", null).ReplaceLineEndings("\n"));
    }

    private static string Write(IServiceProvider services, string text, Exception? exception)
    {
        using var writer = new StringWriter();
        var entry = new LogEntry<string>(LogLevel.Warning, "Plugin", 0, text, exception, (state, _) => state);
        new RedactingConsoleFormatter(services).Write(in entry, null, writer);
        return writer.ToString();
    }
}
