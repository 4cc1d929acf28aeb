using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates;

/// <summary>
/// Keeps content apart from the template's own text through a rendering. Marks are Unicode noncharacters, which no
/// text exchanged between programs contains; any that a content holds are removed first.
/// </summary>
/// <remarks>
/// A <see cref="Break"/> inside a content splits what spells a special token, so that it stays text: what stands
/// before and after the break is tokenised apart. A content between <see cref="Open"/> and <see cref="Close"/> is the
/// number of a message whose token ids are known.
/// </remarks>
internal static class ContentMarks
{
    public const char Open = '\uFDD0';
    public const char Close = '\uFDD1';
    public const char Break = '\uFDD2';

    /// <summary>Whether a character is a mark.</summary>
    public static bool Is(char character) => character is Open or Close or Break;

    /// <summary>Removes marks from a text.</summary>
    public static string Strip(string text) =>
        text.AsSpan().IndexOfAny(Open, Close, Break) < 0
            ? text
            : string.Concat(text.Where(c => !Is(c)));

    /// <summary>Breaks every special token that a text spells, and one that it might begin for what follows it.</summary>
    public static string BreakSpecials(string text, SpecialTextSet specials)
    {
        var result = Apart(Strip(text), specials);
        return specials.MayBeginAtEndOf(result) ? result + Break : result;
    }

    /// <summary>Breaks every special token that a text without marks spells.</summary>
    public static string Apart(string text, SpecialTextSet specials)
    {
        StringBuilder? broken = null;
        var from = 0;
        while (specials.IndexIn(text.AsSpan(from)) is var found and >= 0)
        {
            // The break falls after the first character, and the search goes on there: tokens that overlap break too.
            var at = from + found;
            var end = at + (char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1);
            (broken ??= new StringBuilder()).Append(text, from, end - from).Append(Break);
            from = end;
        }

        return broken?.Append(text, from, text.Length - from).ToString() ?? text;
    }
}
