using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>Runs commands of the system's shell. Off by itself, and each call needs approval.</summary>
internal sealed class ShellPlugin(PluginContext context)
{
    private const int MaxOutput = 16_000;
    private const int MaxSeconds = 60;

    // The host's environment may hold secrets; a command gets what any needs.
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SystemRoot", "USERPROFILE", "PATHEXT", "ComSpec"];

    [KernelFunction("run")]
    [Description("Runs a command in the system's shell and gives what it prints.")]
    public async Task<string> RunAsync(
        [Description("The command line.")] string command,
        [Description("How many seconds it may take, at most 60.")] int seconds = 30,
        CancellationToken cancellationToken = default)
    {
        using var process = new Process { StartInfo = StartInfo(command) };
        var output = new BoundedText(MaxOutput);
        process.OutputDataReceived += (_, e) => output.AppendLine(e.Data);
        process.ErrorDataReceived += (_, e) => output.AppendLine(e.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var limit = TimeSpan.FromSeconds(Math.Clamp(seconds, 1, MaxSeconds));
        using var deadline = new CancellationTokenSource(limit, context.TimeProvider);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await process.WaitForExitAsync(ending.Token).ConfigureAwait(false);
            return $"exit code {process.ExitCode}\n{output}";
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"The command did not end within {limit.TotalSeconds:0} s and was killed. It had printed:\n{output}");
        }
    }

    private ProcessStartInfo StartInfo(string command)
    {
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "cmd.exe" : "/bin/sh")
        {
            WorkingDirectory = context.OutputFolder is { } output && Directory.Exists(output) ? output : context.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(OperatingSystem.IsWindows() ? "/c" : "-c");
        start.ArgumentList.Add(command);
        start.Environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        return start;
    }

    /// <summary>Keeps the beginning of what is appended, from any thread.</summary>
    private sealed class BoundedText(int limit)
    {
        private readonly StringBuilder _text = new();
        private bool _cut;

        public void AppendLine(string? line)
        {
            lock (_text)
            {
                if (line is null || _cut)
                {
                    return;
                }

                _text.Append(line.AsSpan(0, Math.Min(line.Length, limit - _text.Length))).Append('\n');
                if (_text.Length >= limit)
                {
                    _cut = true;
                    _text.Append("[more output was left out]\n");
                }
            }
        }

        public override string ToString()
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }
}
