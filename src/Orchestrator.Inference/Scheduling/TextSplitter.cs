using System.Text;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// Splits bytes into tokens as the tokenizer would split the text, also where they are not a text on their own. Special
/// tokens come of their spelling, never of a text.
/// </summary>
internal sealed class TextSplitter(ITokenizer tokenizer)
{
    private static readonly UTF8Encoding Strict = new(false, true);
    private readonly Lazy<Dictionary<string, int>> _index = new(() => Index(tokenizer));
    private int _longest;

    /// <summary>Splits bytes into tokens whose bytes they are.</summary>
    /// <param name="bytes">Any bytes.</param>
    public IReadOnlyList<int> Split(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return [];
        }

        var mark = bytes.IndexOf(TokenSpelling.Mark);
        if (mark >= 0)
        {
            return [.. Split(bytes[..mark]), TokenSpelling.Read(bytes[mark..]), .. Split(bytes[(mark + TokenSpelling.Length)..])];
        }

        return TryTokenize(bytes) is { } tokens ? tokens : Longest(bytes);
    }

    private int[]? TryTokenize(ReadOnlySpan<byte> bytes)
    {
        string text;
        try
        {
            text = Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }

        // A tokenizer may add what was not there, such as a leading space, or read the text of a user-defined token as it.
        var tokens = tokenizer.Tokenize(text, false);
        var at = 0;
        foreach (var token in tokens)
        {
            var piece = tokenizer.GetBytes(token);
            if (TokenSpelling.IsMarked(tokenizer, token) || !bytes[at..].StartsWith(piece))
            {
                return null;
            }

            at += piece.Length;
        }

        return at == bytes.Length ? tokens : null;
    }

    private List<int> Longest(ReadOnlySpan<byte> bytes)
    {
        var index = _index.Value;
        if (_longest == 0)
        {
            _longest = index.Keys.Max(k => k.Length);
        }

        var tokens = new List<int>();
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(_longest, bytes.Length);
            int token;
            while (!index.TryGetValue(Encoding.Latin1.GetString(bytes[..length]), out token))
            {
                if (--length == 0)
                {
                    throw new InferenceException(
                        InferenceError.BadRequest, $"No token of this vocabulary has the byte 0x{bytes[0]:X2}, which the constraint demands.");
                }
            }

            tokens.Add(token);
            bytes = bytes[length..];
        }

        return tokens;
    }

    private static Dictionary<string, int> Index(ITokenizer tokenizer)
    {
        var index = new Dictionary<string, int>(tokenizer.Size, StringComparer.Ordinal);
        for (var token = 0; token < tokenizer.Size; token++)
        {
            if (!TokenSpelling.IsMarked(tokenizer, token) && tokenizer.GetBytes(token) is { IsEmpty: false } bytes)
            {
                index.TryAdd(Encoding.Latin1.GetString(bytes), token);
            }
        }

        return index;
    }
}
