using System.Text;

namespace Incident.Generator;

/// <summary>The entries of one file, put in order of time when everything has happened.</summary>
internal sealed class LogFile(string name)
{
    private readonly List<Entry> _entries = [];

    public string Name => name;

    public Entry Add(double at, string text)
    {
        var entry = new Entry(name, at, text);
        _entries.Add(entry);
        return entry;
    }

    /// <summary>Sorts, numbers the lines, and returns the whole text.</summary>
    public string Complete()
    {
        var text = new StringBuilder();
        var line = 1;
        foreach (var entry in _entries.OrderBy(e => e.At))
        {
            entry.Line = line;
            line += 1 + entry.Text.Count(c => c == '\n');
            text.Append(entry.Text).Append('\n');
        }

        return text.ToString();
    }
}
