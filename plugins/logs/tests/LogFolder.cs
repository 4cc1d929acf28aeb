namespace Orchestrator.Plugins.Logs.Tests;

/// <summary>A folder with log files that is gone after the test.</summary>
internal sealed class LogFolder : IDisposable
{
    public LogFolder(params (string File, string Text)[] files)
    {
        foreach (var (file, text) in files)
        {
            File.WriteAllText(System.IO.Path.Combine(Directory.CreateDirectory(Path).FullName, file), text);
        }
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("logs").FullName;

    public LogReader Reader => new(Path);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
