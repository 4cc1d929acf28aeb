using System.Text;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Testing.Drivers;

/// <summary>
/// The vocabulary of <see cref="FakeDriver"/>: tokens 0 to 255 are the bytes, then come the special tokens, then
/// whole texts. Text is split by the longest token that matches.
/// </summary>
public sealed class FakeTokenizer : ITokenizer
{
    /// <summary>Begins a text.</summary>
    public const int Begin = 256;

    /// <summary>Ends an answer.</summary>
    public const int End = 257;

    /// <summary>Begins a message.</summary>
    public const int MessageStart = 258;

    /// <summary>Ends a message, and an answer too.</summary>
    public const int MessageEnd = 259;

    private readonly byte[][] _bytes;
    private readonly IReadOnlyList<string> _specials;
    private readonly int _firstMerge;
    private readonly int _longest;
    private readonly Dictionary<string, int> _merges = new(StringComparer.Ordinal);

    /// <summary>Makes a vocabulary.</summary>
    /// <param name="merges">Texts of at least two bytes that are one token each.</param>
    /// <param name="specials">The texts of the special tokens, see <see cref="FakeDriverOptions.Specials"/>; null for the defaults.</param>
    public FakeTokenizer(IReadOnlyList<string> merges, IReadOnlyList<string>? specials = null)
    {
        ArgumentNullException.ThrowIfNull(merges);
        _specials = specials ?? FakeDriverOptions.ChatMlSpecials;
        ArgumentOutOfRangeException.ThrowIfLessThan(_specials.Count, MessageEnd + 1 - Begin, nameof(specials));
        _firstMerge = Begin + _specials.Count;
        _bytes = new byte[_firstMerge + merges.Count][];
        for (var i = 0; i < _firstMerge; i++)
        {
            _bytes[i] = i < 256 ? [(byte)i] : [];
        }

        for (var i = 0; i < merges.Count; i++)
        {
            _bytes[_firstMerge + i] = Encoding.UTF8.GetBytes(merges[i]);
            _merges[Latin(_bytes[_firstMerge + i])] = _firstMerge + i;
            _longest = Math.Max(_longest, _bytes[_firstMerge + i].Length);
        }
    }

    /// <inheritdoc/>
    public int Size => _bytes.Length;

    /// <inheritdoc/>
    public int? BeginOfText => Begin;

    /// <inheritdoc/>
    public int EndOfText => End;

    /// <inheritdoc/>
    public IReadOnlyList<string> SpecialTexts => _specials;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int token) => _bytes[token];

    /// <inheritdoc/>
    public bool IsSpecial(int token) => token >= Begin && token < _firstMerge;

    /// <inheritdoc/>
    public bool IsEndOfGeneration(int token) => token is End or MessageEnd;

    /// <inheritdoc/>
    public string? GetSpecialText(int token) => IsSpecial(token) ? _specials[token - Begin] : null;

    /// <inheritdoc/>
    public int[] Tokenize(string text, bool parseSpecial)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new List<int>(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var (start, special) = parseSpecial ? NextSpecial(text, at) : (text.Length, -1);
            AddText(text.AsSpan(at, start - at), tokens);
            at = start;
            if (special >= 0)
            {
                tokens.Add(Begin + special);
                at += _specials[special].Length;
            }
        }

        return [.. tokens];
    }

    private (int Start, int Special) NextSpecial(string text, int from)
    {
        var best = (Start: text.Length, Special: -1);
        for (var i = 0; i < _specials.Count; i++)
        {
            var at = text.IndexOf(_specials[i], from, StringComparison.Ordinal);
            if (at >= 0 && at < best.Start)
            {
                best = (at, i);
            }
        }

        return best;
    }

    private void AddText(ReadOnlySpan<char> text, List<int> tokens)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(_longest, bytes.Length - at);
            while (length > 1 && !_merges.ContainsKey(Latin(bytes.AsSpan(at, length))))
            {
                length--;
            }

            tokens.Add(length > 1 ? _merges[Latin(bytes.AsSpan(at, length))] : bytes[at]);
            at += Math.Max(1, length);
        }
    }

    /// <summary>Bytes as a string with one char each, which dictionaries can look up.</summary>
    private static string Latin(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
