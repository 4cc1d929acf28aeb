using System.Text.RegularExpressions;

namespace Orchestrator.Plugins.Logs;

/// <summary>Finds the services that a record names, as in <c>upstream=catalog-1:8080</c> or <c>inventory unavailable</c>.</summary>
internal sealed partial class PeerNames
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public PeerNames(IEnumerable<string> names)
    {
        _names = new(names, StringComparer.OrdinalIgnoreCase);
        _lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public void Add(string name) => _names.Add(name);

    /// <summary>The first service named, other than the writer itself; the number of a machine behind a name is left out.</summary>
    public string? FirstIn(string text, string self)
    {
        foreach (var match in Word().EnumerateMatches(text))
        {
            var word = text.AsSpan(match.Index, match.Length);
            var dash = word.LastIndexOf('-');
            if (dash > 0 && int.TryParse(word[(dash + 1)..], out _))
            {
                word = word[..dash];
            }

            if (_lookup.TryGetValue(word, out var name) && !name.Equals(self, StringComparison.OrdinalIgnoreCase))
            {
                return name;
            }
        }

        return null;
    }

    // A word before = or : is a key (cache=hit), not a name.
    [GeneratedRegex(@"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*(?![\w=-])")]
    private static partial Regex Word();
}
