namespace Orchestrator.Core.Text;

/// <summary>Cuts texts where they may be cut.</summary>
public static class Excerpt
{
    /// <summary>The beginning of a text, without half a surrogate pair at its end.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="characters">The most UTF-16 characters, at least 0.</param>
    /// <returns>The whole text where it is no longer, else its first characters, or one less.</returns>
    public static ReadOnlySpan<char> Beginning(string text, int characters)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfNegative(characters);
        return text.Length <= characters ? text
            : text.AsSpan(0, characters > 0 && char.IsHighSurrogate(text[characters - 1]) ? characters - 1 : characters);
    }
}
