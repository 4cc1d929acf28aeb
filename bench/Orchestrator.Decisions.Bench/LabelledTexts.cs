using System.Text;

namespace Orchestrator.Decisions.Bench;

/// <summary>Texts with their categories, from a CSV file with a header line.</summary>
internal static class LabelledTexts
{
    /// <summary>Draws rows at random; the same seed draws the same.</summary>
    public static (IReadOnlyList<(string Text, string Category)> Rows, IReadOnlyList<string> Categories) Draw(string file, int count, int seed, int skip)
    {
        var all = Parse(File.ReadAllText(file)).Skip(1).Select(f => (Text: f[0].Trim(), Category: f[1])).ToArray();
        var categories = all.Select(r => r.Category).Distinct().Order(StringComparer.Ordinal).ToList();
        new Random(seed).Shuffle(all);
        return (all.Skip(skip).Take(count).ToList(), categories);
    }

    /// <summary>The records of a CSV text (RFC 4180).</summary>
    private static IEnumerable<List<string>> Parse(string text)
    {
        var record = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' when quoted && i + 1 < text.Length && text[i + 1] == '"':
                    field.Append('"');
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    record.Add(field.ToString());
                    field.Clear();
                    break;
                case '\n' when !quoted:
                    record.Add(field.ToString().TrimEnd('\r'));
                    field.Clear();
                    yield return record;
                    record = [];
                    break;
                default:
                    field.Append(text[i]);
                    break;
            }
        }

        if (field.Length > 0)
        {
            record.Add(field.ToString());
            yield return record;
        }
    }
}
