using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Turns tokens into text as they come. A character whose bytes are spread over several tokens is given when its last
/// byte is there; bytes that are no UTF-8 become U+FFFD.
/// </summary>
/// <param name="vocabulary">The vocabulary.</param>
/// <param name="markers">The special tokens that have a text here.</param>
internal sealed class TokenTextDecoder(ITokenVocabulary vocabulary, AnswerMarkers markers)
{
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private char[] _characters = new char[64];

    /// <summary>The text that a token completes, in which the texts of markers mean markers; other special tokens have none.</summary>
    public string Append(int token) =>
        markers.TextOf(token) is { } marker ? Flush() + marker
        : vocabulary.IsSpecial(token) ? ""
        : markers.Break(Decode(vocabulary.GetBytes(token), flush: false));

    /// <summary>What an incomplete character leaves at the end.</summary>
    public string Flush() => Decode([], flush: true);

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
