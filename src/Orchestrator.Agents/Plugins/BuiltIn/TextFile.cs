namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>Reads text files line by line, whatever their size.</summary>
internal static class TextFile
{
    private const int LongestLine = 500;
    private const int Probe = 4096;

    /// <summary>The lines with their numbers, from 1; long ones are cut.</summary>
    /// <exception cref="InvalidDataException">The file is not text.</exception>
    public static IEnumerable<(int Number, string Text)> Lines(string path)
    {
        if (IsBinary(path))
        {
            throw new InvalidDataException($"{Path.GetFileName(path)} is not a text file.");
        }

        return File.ReadLines(path).Select((line, i) => (i + 1, line.Length > LongestLine ? line[..LongestLine] + "…" : line));
    }

    /// <summary>Whether the beginning of a file holds a zero byte.</summary>
    public static bool IsBinary(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> start = stackalloc byte[Probe];
        return start[..stream.ReadAtLeast(start, Probe, throwOnEndOfStream: false)].Contains((byte)0);
    }
}
