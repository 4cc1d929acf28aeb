using System.Globalization;
using Orchestrator.Console.Terminal;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Deciding;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Models;

/// <summary>How a model decides, for people and for machines.</summary>
internal static class MeasurementView
{
    public static void Show(IInteraction interaction, DecisionReport report)
    {
        foreach (var kind in report.Kinds)
        {
            interaction.MarkupLine(
                $"[bold]{Name(kind.Kind)}[/]: {Count(kind.Chosen.Cases)}, chance {Percent(kind.Chance)} %");
            var table = new Table().Border(TableBorder.Rounded).AddColumn("method");
            foreach (var column in new[] { "right", "± %", "tokens", "ms" })
            {
                table.AddColumn(new TableColumn(column).RightAligned());
            }

            foreach (var method in kind.Methods)
            {
                table.AddRow(
                    Name(method.Method) + (method.Method == kind.Chosen.Method ? " ←" : ""),
                    $"{method.Right} ({Percent(method.Accuracy)} %)",
                    Text(100 * method.StandardError, "0.0"),
                    Text(method.Tokens, "0.0"),
                    Text(1000 * method.Seconds, "0"));
            }

            interaction.Render(table);
            interaction.WriteLine(WordWrap.Hang(Reason(kind), interaction.Width, 0));
            interaction.WriteLine();
        }

        interaction.MarkupLine($"[grey]tokens, ms: what a decision computes and takes, once its options are known[/]");
        interaction.WriteLine(report.KeptAt is { } path ? $"Kept in {path}" : "Nothing was kept.");
    }

    public static void WriteJson(IInteraction interaction, DecisionReport report)
    {
        foreach (var kind in report.Kinds)
        {
            foreach (var method in kind.Methods)
            {
                interaction.WriteJson(new
                {
                    Kind = "method",
                    Options = kind.Kind,
                    method.Method,
                    method.Cases,
                    method.Right,
                    method.Accuracy,
                    method.StandardError,
                    kind.Chance,
                    method.Tokens,
                    method.Seconds,
                });
            }

            interaction.WriteJson(new
            {
                Kind = "choice",
                Options = kind.Kind,
                kind.Chosen.Method,
                kind.Chosen.Cases,
                kind.Chosen.Right,
                kind.Chosen.DefaultRight,
            });
        }

        interaction.WriteJson(new { Kind = "profile", report.Model, report.Path, report.KeptAt });
    }

    /// <summary>What a profile chose, in a line; null where there is none.</summary>
    public static string? Summary(DecisionProfile? profile) => profile is null ? null : string.Join("; ",
        from kind in Enum.GetValues<DecisionKind>()
        let measured = profile.For(kind)
        where measured is not null
        select $"{Name(kind)}: {(measured.IsDefault ? "the default" : Name(measured.Method))} ({measured.Right} of {measured.Cases} right)");

    public static string Name(ChoiceMethod method) => method switch
    {
        ChoiceMethod.Auto => "default",
        ChoiceMethod.CalibratedChannel => "calibrated channel",
        _ => method.ToString().ToLowerInvariant(),
    };

    private static string Name(DecisionKind kind) => kind == DecisionKind.Described ? "options with descriptions" : "names only";

    private static string Reason(KindFigures kind) =>
        !kind.Chosen.IsDefault
            ? $"Chosen: {Name(kind.Chosen.Method)}, better than the default by more than {DecisionProfile.StandardErrors} standard errors of the difference."
            : kind.Chosen.Cases < DecisionProfile.FewestCases
                ? $"The default is kept: {DecisionProfile.FewestCases} cases at least are needed to replace it."
                : $"The default is kept: no method is better by more than {DecisionProfile.StandardErrors} standard errors of the difference.";

    private static string Count(int cases) => cases == 1 ? "1 case" : $"{cases} cases";

    private static string Percent(double share) => Text(100 * share, "0");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
