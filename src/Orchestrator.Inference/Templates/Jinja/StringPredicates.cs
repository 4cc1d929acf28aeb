using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's <c>str.is…</c> methods.</summary>
internal static class StringPredicates
{
    public static bool Test(string method, string text) => method switch
    {
        "isascii" => Ascii.IsValid(text),
        "isprintable" => Runes(text).All(PyText.IsPrintable),
        "islower" => IsLower(text),
        "isupper" => IsUpper(text),
        "istitle" => IsTitle(text),
        "isspace" => text.Length > 0 && PyText.IsBlank(text),
        "isidentifier" => text.Length > 0 && !char.IsDigit(text[0]) && text.All(c => c == '_' || char.IsLetterOrDigit(c)),
        "isalpha" => text.Length > 0 && Runes(text).All(Rune.IsLetter),
        "isdecimal" => text.Length > 0 && Runes(text).All(r => Rune.GetUnicodeCategory(r) == UnicodeCategory.DecimalDigitNumber),
        "isdigit" => text.Length > 0 && Runes(text).All(IsDigit),
        "isnumeric" => text.Length > 0 && Runes(text).All(IsNumeric),
        _ => text.Length > 0 && Runes(text).All(r => Rune.IsLetter(r) || IsNumeric(r)),
    };

    public static bool IsLower(string text) => HasCase(text) && !Runes(text).Any(r => Rune.IsUpper(r) || IsTitleCase(r));

    public static bool IsUpper(string text) => HasCase(text) && !Runes(text).Any(r => Rune.IsLower(r) || IsTitleCase(r));

    private static bool HasCase(string text) => Runes(text).Any(r => Rune.IsUpper(r) || Rune.IsLower(r));

    private static bool IsTitleCase(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    private static bool IsDigit(Rune rune)
        => rune.IsBmp ? CharUnicodeInfo.GetDigitValue((char)rune.Value) >= 0 : Rune.IsDigit(rune);

    private static bool IsNumeric(Rune rune) => Rune.IsNumber(rune) || Rune.GetNumericValue(rune) >= 0;

    private static bool IsTitle(string text)
    {
        var afterCased = false;
        var any = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var upper = Rune.IsUpper(rune) || IsTitleCase(rune);
            if (upper ? afterCased : Rune.IsLower(rune) && !afterCased)
            {
                return false;
            }

            afterCased = upper || Rune.IsLower(rune);
            any |= afterCased;
        }

        return any;
    }

    private static IEnumerable<Rune> Runes(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            yield return rune;
        }
    }
}
