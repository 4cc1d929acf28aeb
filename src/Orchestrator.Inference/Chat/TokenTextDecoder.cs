using System.Text;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Turns tokens into text as they come. A character whose bytes are spread over several tokens is given when its last
/// byte is there; bytes that are no UTF-8 become U+FFFD. The texts of markers mean markers: where other tokens spell one,
/// a mark keeps it apart, and what may become such a text is held back until that is decided.
/// </summary>
/// <param name="vocabulary">The vocabulary.</param>
/// <param name="markers">The special tokens that have a text here; others have none.</param>
/// <param name="marksText">Whether text is kept apart from markers; otherwise nothing is marked or held back.</param>
internal sealed class TokenTextDecoder(ITokenVocabulary vocabulary, AnswerMarkers markers, bool marksText = true)
{
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private char[] _characters = new char[64];
    private string _held = "";

    /// <summary>The text that a token completes.</summary>
    public string Append(int token)
    {
        if (markers.TextOf(token) is { } marker)
        {
            // Nothing that is held can become a marker's text any more, nor join this one's.
            var before = Flush();
            return before.Length == 0 || !marksText ? before + marker : before + ContentMarks.Break + marker;
        }

        return vocabulary.IsSpecial(token) ? "" : Decide(Decode(vocabulary.GetBytes(token), flush: false));
    }

    /// <summary>What an incomplete character, or the beginning of a marker's text, leaves at the end.</summary>
    public string Flush()
    {
        var rest = Decide(Decode([], flush: true)) + _held;
        _held = "";
        return rest;
    }

    private string Decide(string piece)
    {
        if (!marksText)
        {
            return piece;
        }

        var (ready, held) = markers.Break(_held + piece);
        _held = held == 0 ? "" : (_held + piece)[^held..];
        return ready;
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        if (_characters.Length < bytes.Length + 4)
        {
            _characters = new char[bytes.Length * 2];
        }

        var count = _decoder.GetChars(bytes, _characters, flush);
        return new string(_characters, 0, count);
    }
}
