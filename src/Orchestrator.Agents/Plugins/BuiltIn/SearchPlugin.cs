using System.ComponentModel;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>Finds lines in text files.</summary>
internal sealed class SearchPlugin(RootedFolders folders)
{
    private const int MaxMatches = 100;

    [KernelFunction("find")]
    [Description("Finds the lines of text files that hold a text; each comes with its file and line number.")]
    public string Find(
        [Description("The text to look for; letters of either case match.")] string text,
        [Description("A file, or a folder whose files are searched; '.' is the working folder.")] string path = ".",
        [Description("Which files to search, as *.log.")] string files = "*",
        [Description("Whether the text is a regular expression.")] bool isRegex = false,
        [Description("How many lines to give, at most 100.")] int maxMatches = 20,
        CancellationToken cancellationToken = default)
    {
        if (text.Length == 0)
        {
            throw new ArgumentException("A text to look for is needed.");
        }

        // Never backtracks, so no pattern can make it hang.
        var expression = isRegex ? new Regex(text, RegexOptions.IgnoreCase | RegexOptions.NonBacktracking) : null;
        var (shown, count, limit) = (new StringBuilder(), 0, Math.Clamp(maxMatches, 1, MaxMatches));
        foreach (var file in FilesUnder(folders.Resolve(path), path, files))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var (number, line) in TextFile.Lines(file))
            {
                if (expression?.IsMatch(line) ?? line.Contains(text, StringComparison.OrdinalIgnoreCase))
                {
                    if (++count <= limit)
                    {
                        shown.Append(folders.Show(file)).Append(':').Append(number).Append(": ").Append(line).Append('\n');
                    }
                }
            }
        }

        return count == 0 ? "no line matches"
            : count > limit ? shown.Append($"[{count - limit} more lines match]").ToString()
            : shown.ToString();
    }

    private IEnumerable<string> FilesUnder(string real, string path, string pattern)
    {
        if (File.Exists(real))
        {
            return [real];
        }

        if (!Directory.Exists(real))
        {
            throw new ArgumentException($"There is no file or folder '{path}'.");
        }

        // Links are not followed: they may lead outside, or around in a ring.
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden | FileAttributes.System,
        };
        return Directory.EnumerateFiles(real, pattern, options).Order(StringComparer.Ordinal).Where(f => !TextFile.IsBinary(f));
    }
}
