using System.Globalization;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Gguf;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Bench;

/// <summary>A benchmark as tables for people.</summary>
internal static class BenchView
{
    public static void Show(IInteraction interaction, BenchmarkReport report)
    {
        interaction.MarkupLine($"[bold]{report.Model}[/], {ByteSize.Format(report.WeightBytes)} of weights, {(report.Threads == 1 ? "1 thread" : $"{report.Threads} threads")}");
        interaction.MarkupLine(
            $"memory {Text(report.Machine.ReadGigabytes, "0.0")} GB/s, arithmetic {Text(report.Machine.MultiplyGigaflops, "0")} Gflop/s, drift {Text(report.Drift, "0.00")}");
        interaction.WriteLine();
        ShowRates(interaction, report);
        foreach (var conversation in report.Conversations)
        {
            Show(interaction, conversation);
        }

        if (report.Conversations.Count == 0)
        {
            interaction.MarkupLine($"[yellow]The model's cache can't be cut, so no conversation was compared.[/]");
        }
        else
        {
            interaction.MarkupLine($"[grey]limit: the bare loop's time by this one's; computed, reused: prompt tokens;[/]");
            interaction.MarkupLine($"[grey]p50, p95: seconds to an answer's first token; MiB: peak memory of the process[/]");
        }

        if (!report.Trusted)
        {
            interaction.MarkupLine(
                $"[red]Don't trust these figures:[/] the machine drifted by {Text(report.Drift, "0.00")} while it was measured (at most {Text(BenchmarkReport.MostDrift, "0.00")}). Close other programs and run it again.");
        }
    }

    private static void ShowRates(IInteraction interaction, BenchmarkReport report)
    {
        var table = Table("", "tokens/s", "bare loop", "of bare", "of limit");
        Add(table, report.Prefill, $"reading {report.Prefill.Tokens} tokens");
        foreach (var rate in report.Decode)
        {
            Add(table, rate, rate.Tokens == 1 ? "writing 1 answer" : $"writing {rate.Tokens} answers at a time");
        }

        interaction.Render(table);
    }

    private static void Add(Table table, RateFigures rate, string name) => table.AddRow(
        name,
        Text(rate.TokensPerSecond, "0.0"),
        Text(rate.BareTokensPerSecond, "0.0"),
        Share(rate.ShareOfBare),
        Share(rate.ShareOfLimit) + Mark(rate.Trusted));

    private static void Show(IInteraction interaction, ConversationFigures conversation)
    {
        var workload = conversation.Workload;
        interaction.MarkupLine(
            $"[bold]{(workload.Agents == 1 ? "1 agent" : $"{workload.Agents} agents")} {(workload.Talk == Talk.AtOnce ? "all at once" : "one after another")}[/], {(workload.Rounds == 1 ? "1 round" : $"{workload.Rounds} rounds")}, preamble of {workload.Preamble} tokens{Mark(conversation.Trusted)}");
        var table = Table("", "seconds", "limit", "computed", "reused", "p50", "p95", "tok/s", "MiB");
        foreach (var contender in conversation.Contenders)
        {
            table.AddRow(
                contender.Name,
                Text(contender.Seconds, "0.00"),
                contender.ShareOfLimit is { } share ? Share(share) : "",
                Text(contender.ComputedTokens, "0"),
                Text(contender.ReusedTokens, "0"),
                Text(contender.FirstTokenP50, "0.00"),
                Text(contender.FirstTokenP95, "0.00"),
                Text(contender.TokensPerSecond, "0.0"),
                contender.PeakBytes is { } bytes ? Text(bytes / 1048576.0, "0") : "?");
        }

        interaction.Render(table);
    }

    private static Table Table(params IReadOnlyList<string> columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var (column, i) in columns.Select((column, i) => (column, i)))
        {
            table.AddColumn(new TableColumn(new Text(column)) { Alignment = i == 0 ? Justify.Left : Justify.Right, NoWrap = i == 0, Padding = new Padding(0) });
        }

        return table;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} %");

    private static string Mark(bool trusted) => trusted ? "" : " (drifted)";
}
