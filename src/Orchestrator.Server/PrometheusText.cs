using System.Globalization;
using System.Text;
using Orchestrator.Core.Models;

namespace Orchestrator.Server;

/// <summary>
/// Figures in Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4";

    /// <summary>Writes figures; those of one name become one family, as the format asks.</summary>
    public static string Write(IReadOnlyList<ModelStatistic> figures)
    {
        var text = new StringBuilder();
        foreach (var family in figures.GroupBy(f => f.Name, StringComparer.Ordinal))
        {
            var name = $"orchestrator_{family.Key}";
            var first = family.First();
            text.Append("# HELP ").Append(name).Append(' ').Append(Escape(first.Description, quotes: false)).Append('\n')
                .Append("# TYPE ").Append(name).Append(first.IsCounter ? " counter\n" : " gauge\n");
            foreach (var figure in family)
            {
                text.Append(name);
                if (figure.Labels is { Count: > 0 } labels)
                {
                    text.Append('{').AppendJoin(',', labels.Select(l => $"{l.Key}=\"{Escape(l.Value, quotes: true)}\"")).Append('}');
                }

                text.Append(CultureInfo.InvariantCulture, $" {figure.Value}\n");
            }
        }

        return text.ToString();
    }

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
