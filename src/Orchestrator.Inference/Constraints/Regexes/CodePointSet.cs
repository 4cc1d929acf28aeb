using System.Globalization;

namespace Orchestrator.Inference.Constraints.Regexes;

/// <summary>A set of Unicode scalar values (code points without surrogates), as sorted, disjoint, inclusive ranges.</summary>
internal sealed class CodePointSet
{
    public const int Max = 0x10FFFF;

    private static readonly CodePointSet AllScalars = new([(0, 0xD7FF), (0xE000, Max)]);
    private static readonly Lazy<CodePointSet[]> Categories = new(ReadCategories);

    private CodePointSet(IReadOnlyList<(int Low, int High)> ranges) => Ranges = ranges;

    public static CodePointSet All => AllScalars;

    public static CodePointSet Digits { get; } = Of(('0', '9'));

    public static CodePointSet Word { get; } = Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>ECMAScript's WhiteSpace and LineTerminator.</summary>
    public static CodePointSet Space { get; } = Of(
        ('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    /// <summary>What ECMAScript's dot matches: all but line terminators.</summary>
    public static CodePointSet Dot { get; } = Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    public IReadOnlyList<(int Low, int High)> Ranges { get; }

    public bool IsEmpty => Ranges.Count == 0;

    public static CodePointSet Of(params ReadOnlySpan<(int Low, int High)> ranges)
    {
        var sorted = ranges.ToArray();
        Array.Sort(sorted);
        var merged = new List<(int Low, int High)>();
        foreach (var (low, high) in sorted)
        {
            if (merged.Count > 0 && low <= merged[^1].High + 1)
            {
                merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            }
            else
            {
                merged.Add((low, high));
            }
        }

        return new CodePointSet(merged);
    }

    public static CodePointSet Single(int codePoint) => Of((codePoint, codePoint));

    /// <summary>All code points of a general category.</summary>
    public static CodePointSet Category(UnicodeCategory category) => Categories.Value[(int)category];

    public CodePointSet Union(CodePointSet other) => Of([.. Ranges, .. other.Ranges]);

    public CodePointSet Complement()
    {
        var result = new List<(int, int)>();
        var next = 0;
        foreach (var (low, high) in Ranges)
        {
            if (low > next)
            {
                result.Add((next, low - 1));
            }

            next = high + 1;
        }

        if (next <= Max)
        {
            result.Add((next, Max));
        }

        return new CodePointSet(result).Intersect(AllScalars);
    }

    public CodePointSet Intersect(CodePointSet other)
    {
        var result = new List<(int, int)>();
        var (i, j) = (0, 0);
        while (i < Ranges.Count && j < other.Ranges.Count)
        {
            var low = Math.Max(Ranges[i].Low, other.Ranges[j].Low);
            var high = Math.Min(Ranges[i].High, other.Ranges[j].High);
            if (low <= high)
            {
                result.Add((low, high));
            }

            if (Ranges[i].High < other.Ranges[j].High)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return new CodePointSet(result);
    }

    /// <summary>Adds the other case of letters of the basic plane.</summary>
    public CodePointSet IgnoringCase()
    {
        var added = new List<(int, int)>(Ranges);
        foreach (var (low, high) in Ranges)
        {
            for (var codePoint = low; codePoint <= Math.Min(high, 0xFFFF); codePoint++)
            {
                var c = (char)codePoint;
                added.Add((char.ToLowerInvariant(c), char.ToLowerInvariant(c)));
                added.Add((char.ToUpperInvariant(c), char.ToUpperInvariant(c)));
            }
        }

        return Of([.. added]);
    }

    private static CodePointSet[] ReadCategories()
    {
        var lists = new List<(int Low, int High)>[30];
        for (var codePoint = 0; codePoint <= Max; codePoint++)
        {
            var list = lists[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)] ??= [];
            if (list.Count > 0 && list[^1].High == codePoint - 1)
            {
                list[^1] = (list[^1].Low, codePoint);
            }
            else
            {
                list.Add((codePoint, codePoint));
            }
        }

        return [.. lists.Select(list => new CodePointSet(list ?? []).Intersect(AllScalars))];
    }
}
