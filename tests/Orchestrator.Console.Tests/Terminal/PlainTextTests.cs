using System.Diagnostics;
using Orchestrator.Console.Tests.Guides;

namespace Orchestrator.Console.Tests.Terminal;

public class PlainTextTests
{
    private const string Terminal = "/usr/bin/script";

    [SkippableTheory]
    [InlineData("--no-color", "")]
    [InlineData("", "CI")]
    [InlineData("", "NO_COLOR")]
    public async Task A_terminal_gets_no_colours_where_none_are_wanted(string option, string variable)
    {
        Skip.IfNot(File.Exists(Terminal) && OperatingSystem.IsLinux(), "There is no command that gives a program a terminal.");
        var start = new ProcessStartInfo(Terminal, ["-qec", $"dotnet {OrchestratorProcess.Program} team validate pair {option}", "/dev/null"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = OrchestratorProcess.RepositoryRoot,
        };
        start.Environment["TERM"] = "xterm-256color";
        foreach (var name in new[] { "CI", "NO_COLOR" })
        {
            start.Environment.Remove(name);
        }

        if (variable.Length > 0)
        {
            start.Environment[variable] = "true";
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();

        Assert.Contains("ok pair (2 members", output, StringComparison.Ordinal);
        Assert.DoesNotMatch("\u001b\\[[0-9;]*m", output);
    }
}
