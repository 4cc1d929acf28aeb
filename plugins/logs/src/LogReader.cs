using System.Runtime.CompilerServices;
using System.Text;

namespace Orchestrator.Plugins.Logs;

/// <summary>Streams the records of a folder's log files; a file is never held in memory.</summary>
public sealed class LogReader
{
    /// <summary>Characters of a line that are looked at; the rest of a longer line is skipped.</summary>
    public const int MaximumLine = 16 * 1024;

    private static readonly string[] Endings = [".log", ".jsonl", ".json", ".txt", ".out", ".err"];

    private readonly string _root;

    /// <summary>Reads below a folder.</summary>
    /// <param name="folder">The folder with the log files; links that lead out of it are not followed.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public LogReader(string folder)
    {
        _root = Path.GetFullPath(folder);
        if (!Directory.Exists(_root))
        {
            throw new DirectoryNotFoundException($"There is no folder {_root}.");
        }
    }

    /// <summary>The log files, by name relative to the folder, in order.</summary>
    public IReadOnlyList<string> Files()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden };
        return [.. Directory.EnumerateFiles(_root, "*", options)
            .Where(f => Endings.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase))
            .Select(f => Path.GetRelativePath(_root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }

    /// <summary>The lines of a file in a range.</summary>
    /// <param name="file">A name that <see cref="Files"/> returned.</param>
    /// <param name="first">First line, from 1.</param>
    /// <param name="count">How many lines at most.</param>
    /// <exception cref="FileNotFoundException">The folder has no such log file.</exception>
    public IEnumerable<(int Line, string Text)> Lines(string file, int first = 1, int count = int.MaxValue)
    {
        var number = 0;
        foreach (var text in RawLines(file))
        {
            number++;
            if (number >= first)
            {
                if (number - first >= count)
                {
                    yield break;
                }

                yield return (number, text);
            }
        }
    }

    /// <summary>The records of all files, file after file, in the order in which they are written.</summary>
    /// <param name="cancellation">Stops between two lines.</param>
    public IEnumerable<LogRecord> Records(CancellationToken cancellation = default)
    {
        var files = Files();
        // Syslog lines name no year; the other files do.
        var year = files.Select(f => FirstTime(f, 1)).OfType<DateTimeOffset>().Select(t => t.Year).DefaultIfEmpty(1).Max();
        return files.SelectMany(f => Records(f, year, cancellation));
    }

    private DateTimeOffset? FirstTime(string file, int year) =>
        RawLines(file).Take(20).Select(l => LineParser.Parse(l, year).Time).FirstOrDefault(t => t is { Year: > 1 });

    private IEnumerable<LogRecord> Records(string file, int year, CancellationToken cancellation)
    {
        var usual = ServiceOfFile(file);
        LogRecord? open = null;
        var number = 0;
        foreach (var text in RawLines(file))
        {
            cancellation.ThrowIfCancellationRequested();
            number++;
            var parsed = LineParser.Parse(text, year);
            if (parsed.Time is null && open is not null)
            {
                open = Continue(open, text);
                continue;
            }

            if (open is not null)
            {
                yield return open;
            }

            open = new LogRecord(new(file, number), 1, parsed.Time, parsed.Severity ?? Severity.Info, parsed.Service ?? usual, parsed.RequestId, parsed.DurationMs, parsed.Message, text);
        }

        if (open is not null)
        {
            yield return open;
        }
    }

    private static LogRecord Continue(LogRecord open, string text)
    {
        // The line that names the error is worth more than the frames: it says what the first line often does not.
        var trimmed = text.Trim();
        var names = trimmed.Length > 0 && !trimmed.StartsWith("at ", StringComparison.Ordinal) && !trimmed.StartsWith("File ", StringComparison.Ordinal) && trimmed.Contains(':', StringComparison.Ordinal)
            && !trimmed.StartsWith("Traceback", StringComparison.Ordinal);
        return open with
        {
            Lines = open.Lines + 1,
            Message = names && open.Message.Length < 400 ? $"{open.Message} | {trimmed}" : open.Message,
        };
    }

    private IEnumerable<string> RawLines(string file, [CallerArgumentExpression(nameof(file))] string? name = null)
    {
        if (!Files().Contains(file, StringComparer.Ordinal))
        {
            throw new FileNotFoundException($"The folder has no log file '{file}'.", name);
        }

        using var reader = new StreamReader(Path.Combine(_root, file), Encoding.UTF8);
        var line = new StringBuilder();
        var buffer = new char[32 * 1024];
        int read;
        var any = false;
        while ((read = reader.Read(buffer, 0, buffer.Length)) > 0)
        {
            var start = 0;
            while (start < read)
            {
                var end = Array.IndexOf(buffer, '\n', start, read - start);
                var stop = end < 0 ? read : end;
                any = true;
                line.Append(buffer, start, Math.Min(stop - start, MaximumLine - Math.Min(MaximumLine, line.Length)));
                if (end < 0)
                {
                    break;
                }

                yield return Take(line);
                any = false;
                start = end + 1;
            }
        }

        if (any)
        {
            yield return Take(line);
        }
    }

    private static string Take(StringBuilder line)
    {
        var length = line.Length > 0 && line[^1] == '\r' ? line.Length - 1 : line.Length;
        var text = line.ToString(0, length);
        line.Clear();
        return text;
    }

    internal static string ServiceOfFile(string file)
    {
        var stem = Path.GetFileName(file);
        var dot = stem.IndexOf('.', 1);
        return dot < 0 ? stem : stem[..dot];
    }
}
