using System.Globalization;

namespace Orchestrator.Inference.Constraints.Regexes;

/// <summary>The Unicode properties of <c>\p{…}</c>: general categories by short or long name, Any and ASCII.</summary>
internal static class UnicodeProperties
{
    private static readonly Dictionary<string, UnicodeCategory[]> Names = Read();

    /// <summary>The code points of a property, or null where the name is unknown.</summary>
    public static CodePointSet? Find(string name)
    {
        name = name[(name.StartsWith("General_Category=", StringComparison.Ordinal) || name.StartsWith("gc=", StringComparison.Ordinal) ? name.IndexOf('=') + 1 : 0)..];
        switch (name)
        {
            case "Any":
                return CodePointSet.All;
            case "ASCII":
                return CodePointSet.Of((0, 127));
            default:
                return Names.TryGetValue(name, out var categories)
                    ? categories.Select(CodePointSet.Category).Aggregate((all, set) => all.Union(set))
                    : null;
        }
    }

    private static Dictionary<string, UnicodeCategory[]> Read()
    {
        // In the order of UnicodeCategory.
        string[] categories =
        [
            "Lu Uppercase_Letter", "Ll Lowercase_Letter", "Lt Titlecase_Letter", "Lm Modifier_Letter", "Lo Other_Letter",
            "Mn Nonspacing_Mark", "Mc Spacing_Mark", "Me Enclosing_Mark", "Nd Decimal_Number", "Nl Letter_Number", "No Other_Number",
            "Zs Space_Separator", "Zl Line_Separator", "Zp Paragraph_Separator", "Cc Control", "Cf Format", "Cs Surrogate", "Co Private_Use",
            "Pc Connector_Punctuation", "Pd Dash_Punctuation", "Ps Open_Punctuation", "Pe Close_Punctuation", "Pi Initial_Punctuation",
            "Pf Final_Punctuation", "Po Other_Punctuation", "Sm Math_Symbol", "Sc Currency_Symbol", "Sk Modifier_Symbol", "So Other_Symbol", "Cn Unassigned",
        ];
        var names = new Dictionary<string, UnicodeCategory[]>(StringComparer.Ordinal);
        for (var i = 0; i < categories.Length; i++)
        {
            var parts = categories[i].Split(' ');
            names[parts[0]] = names[parts[1]] = [(UnicodeCategory)i];
            var group = parts[0][..1];
            names[group] = [.. names.GetValueOrDefault(group) ?? [], (UnicodeCategory)i];
        }

        foreach (var (name, group) in (ReadOnlySpan<(string, string)>)[("Letter", "L"), ("Mark", "M"), ("Number", "N"), ("Separator", "Z"), ("Punctuation", "P"), ("punct", "P"), ("Symbol", "S"), ("Other", "C")])
        {
            names[name] = names[group];
        }

        return names;
    }
}
