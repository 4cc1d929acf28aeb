using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// An array of strings as a GGUF file holds it: one block of UTF-8 bytes with offsets, because a vocabulary has
/// hundreds of thousands of entries, and because tokens need not be valid UTF-8 and must compare byte by byte.
/// </summary>
public sealed class GgufStrings : IReadOnlyList<string>
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    /// <summary>Wraps text that is already laid out.</summary>
    /// <param name="bytes">All strings' bytes, one after another.</param>
    /// <param name="ends">For each string, the offset behind its last byte.</param>
    internal GgufStrings(byte[] bytes, int[] ends)
    {
        _bytes = bytes;
        _ends = ends;
    }

    /// <summary>Lays out strings.</summary>
    /// <param name="strings">The strings.</param>
    public GgufStrings(IEnumerable<string> strings)
    {
        var bytes = new List<byte>();
        var ends = new List<int>();
        foreach (var text in strings)
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(text));
            ends.Add(bytes.Count);
        }

        _bytes = [.. bytes];
        _ends = [.. ends];
    }

    /// <summary>Number of strings.</summary>
    public int Count => _ends.Length;

    /// <summary>The string at an index; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="index">From zero.</param>
    public string this[int index] => Encoding.UTF8.GetString(Utf8(index));

    /// <summary>The bytes of the string at an index.</summary>
    /// <param name="index">From zero.</param>
    public ReadOnlySpan<byte> Utf8(int index)
    {
        var start = index == 0 ? 0 : _ends[index - 1];
        return _bytes.AsSpan(start, _ends[index] - start);
    }

    /// <summary>Indices of the strings by their bytes; of equal strings, the first one's.</summary>
    /// <returns>The index of a string that has these bytes, or -1.</returns>
    public Func<ReadOnlySpan<byte>, int> Index()
    {
        var indices = new Dictionary<int, int>(Count);
        var next = new int[Count];
        for (var i = Count - 1; i >= 0; i--)
        {
            ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(indices, Hash(Utf8(i)), out var exists);
            next[i] = exists ? head : -1;
            head = i;
        }

        return text =>
        {
            var i = indices.GetValueOrDefault(Hash(text), -1);
            while (i >= 0 && !Utf8(i).SequenceEqual(text))
            {
                i = next[i];
            }

            return i;
        };
    }

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static int Hash(ReadOnlySpan<byte> text)
    {
        var hash = new HashCode();
        hash.AddBytes(text);
        return hash.ToHashCode();
    }
}
