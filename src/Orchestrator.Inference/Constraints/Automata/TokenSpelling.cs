namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>
/// Tokens as the bytes that automata read. Special tokens are spelled by a byte that no UTF-8 text has and their id, so
/// that a text, whatever it says, never is one (as in LLGuidance).
/// </summary>
internal static class TokenSpelling
{
    /// <summary>Begins the spelling of a special token.</summary>
    public const byte Mark = 0xFF;

    /// <summary>The bytes of a special token's spelling. As many as the mark says if it is read as the beginning of UTF-8.</summary>
    public const int Length = 4;

    /// <summary>
    /// Whether a token is spelled by its id. User-defined tokens that are white space or one letter are ordinary text, as
    /// in prompts.
    /// </summary>
    public static bool IsMarked(ITokenVocabulary vocabulary, int token) =>
        vocabulary.IsSpecial(token) || vocabulary.GetSpecialText(token)?.Trim().Length > 1;

    /// <summary>The bytes of a special token.</summary>
    public static byte[] Spell(int token) => [Mark, (byte)(token >> 16), (byte)(token >> 8), (byte)token];

    /// <summary>The bytes of any token.</summary>
    public static ReadOnlySpan<byte> Of(ITokenVocabulary vocabulary, int token) =>
        IsMarked(vocabulary, token) ? Spell(token) : vocabulary.GetBytes(token);

    /// <summary>The special token whose spelling bytes begin with.</summary>
    public static int Read(ReadOnlySpan<byte> bytes) => (bytes[1] << 16) | (bytes[2] << 8) | bytes[3];
}
