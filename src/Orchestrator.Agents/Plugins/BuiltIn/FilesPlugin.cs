using System.ComponentModel;
using System.Text;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>Files below the folders that a run may reach.</summary>
internal sealed class FilesPlugin(RootedFolders folders, PluginContext context)
{
    private const int MaxEntries = 200;
    private const int MaxLines = 400;

    [KernelFunction("list")]
    [Description("Lists the files and folders in a folder.")]
    public string List(
        [Description("The folder; '.' is the working folder.")] string path = ".",
        [Description("Which names to list, as *.log.")] string pattern = "*")
    {
        var folder = folders.Resolve(path);
        if (!Directory.Exists(folder))
        {
            throw new ArgumentException($"There is no folder '{path}'.");
        }

        var names = new DirectoryInfo(folder).EnumerateFileSystemInfos(pattern)
            .OrderBy(e => e.Name, StringComparer.Ordinal)
            .Select(e => e is FileInfo file ? $"{e.Name} ({file.Length} bytes)" : $"{e.Name}/")
            .ToList();
        return names.Count switch
        {
            0 => "nothing",
            > MaxEntries => string.Join('\n', names.Take(MaxEntries)) + $"\n[{names.Count - MaxEntries} more]",
            _ => string.Join('\n', names),
        };
    }

    [KernelFunction("read")]
    [Description("Reads lines of a text file; each comes with its number.")]
    public string Read(
        [Description("The file.")] string path,
        [Description("The first line to read, from 1.")] int firstLine = 1,
        [Description("How many lines to read, at most 400.")] int lines = 100)
    {
        var file = folders.Resolve(path);
        if (!File.Exists(file))
        {
            throw new ArgumentException($"There is no file '{path}'.");
        }

        var text = new StringBuilder();
        foreach (var (number, line) in TextFile.Lines(file).Skip(Math.Max(0, firstLine - 1)).Take(Math.Clamp(lines, 1, MaxLines)))
        {
            text.Append(number).Append(": ").Append(line).Append('\n');
        }

        return text.Length == 0 ? "no lines there" : text.ToString();
    }

    [KernelFunction("write")]
    [Description("Writes a text file into the run's output folder.")]
    public string Write(
        [Description("The file; a relative name goes into the output folder.")] string path,
        [Description("Its whole content.")] string content)
    {
        var file = WritePath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        return $"wrote {content.Length} characters to {folders.Show(file)}";
    }

    /// <summary>Whether a call of <see cref="Write"/> changes nothing outside of the run's output folder.</summary>
    public bool StaysInOutput(KernelArguments arguments)
    {
        try
        {
            return context.OutputFolder is { } output
                && arguments.TryGetValue("path", out var path)
                && RootedFolders.Contains(RootedFolders.RealPath(Path.GetFullPath(output)), WritePath(path?.ToString() ?? ""));
        }
        catch (Exception e) when (e is UnauthorizedAccessException or ArgumentException or IOException)
        {
            // It will fail, and change nothing.
            return true;
        }
    }

    private string WritePath(string path) => string.IsNullOrWhiteSpace(path)
        ? throw new ArgumentException("A file name is needed.")
        : folders.Resolve(context.OutputFolder is { } output ? Path.GetFullPath(path, output) : path);
}
