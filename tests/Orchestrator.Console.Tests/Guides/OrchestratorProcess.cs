using System.Diagnostics;
using System.Text;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>Runs commands as a person does, in a folder of their own.</summary>
internal static class OrchestratorProcess
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>The program as the build left it.</summary>
    public static string Program => Path.Combine(OutputOf("src/Orchestrator.Console"), "orchestrator.dll");

    /// <summary>Where a program or plugin that tests start or load was built.</summary>
    public static string AssetFolder(string project) => OutputOf($"tests/assets/{project}");

    /// <summary>Where a project was built, in the configuration of the tests.</summary>
    public static string OutputOf(string project)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(RepositoryRoot, project, "bin", output.Parent!.Name, output.Name);
    }

    public static string RepositoryRoot { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>Runs a command line whose first word is <c>orchestrator</c> or another program.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string commandLine, string folder)
    {
        using var process = Start(commandLine, folder);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{commandLine}' did not end.");
        }

        return (process.ExitCode, await output + await error);
    }

    /// <summary>Starts a command line whose first word is <c>orchestrator</c> or another program.</summary>
    public static Process Start(string commandLine, string folder)
    {
        var words = Split(commandLine);
        if (words[0] == "orchestrator")
        {
            words = ["dotnet", Program, .. words[1..]];
        }

        var start = new ProcessStartInfo(words[0], words[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The advisory feed is of no matter here, and the build servers would outlive the test.
        start.Environment["NuGetAudit"] = "false";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["NO_COLOR"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>Words between spaces; quotes of either kind hold words together.</summary>
    public static string[] Split(string commandLine)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        foreach (var c in commandLine)
        {
            if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
            }
            else if (c == quote)
            {
                quote = '\0';
            }
            else if (c == ' ' && quote == '\0')
            {
                words.Add(word.ToString());
                word.Clear();
            }
            else
            {
                word.Append(c);
            }
        }

        words.Add(word.ToString());
        return [.. words.Where(w => w.Length > 0)];
    }

    private static string FindRoot(string folder)
    {
        while (!File.Exists(Path.Combine(folder, "Orchestrator.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests don't run inside the repository.");
        }

        return folder;
    }
}
