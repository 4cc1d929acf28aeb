namespace Incident.Generator;

/// <summary>One log entry: one line, or several with its stack trace. Its line number is known when the file is complete.</summary>
public sealed class Entry
{
    internal Entry(string file, double at, string text)
    {
        File = file;
        At = at;
        Text = text;
    }

    /// <summary>Name of the file that holds it.</summary>
    public string File { get; }

    /// <summary>Seconds after the first second of the recording, by the clock of the machine that wrote it.</summary>
    public double At { get; }

    /// <summary>What is written, without the last line end.</summary>
    public string Text { get; }

    /// <summary>Number of its first line, from 1; 0 until the file is complete.</summary>
    public int Line { get; internal set; }
}
