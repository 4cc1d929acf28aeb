using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Console.Commands.Bench;

/// <summary>A benchmark as JSON lines; <c>kind</c> says what a line is. Times in seconds, sizes in bytes, shares of 1.</summary>
internal static class BenchJson
{
    public static void Write(IInteraction interaction, BenchmarkReport report)
    {
        interaction.WriteJson(new
        {
            Kind = "machine",
            report.Model,
            report.WeightBytes,
            report.Threads,
            report.Machine.ReadGigabytes,
            report.Machine.MultiplyGigaflops,
        });
        Write(interaction, "prefill", report.Prefill);
        foreach (var rate in report.Decode)
        {
            Write(interaction, "decode", rate);
        }

        foreach (var conversation in report.Conversations)
        {
            foreach (var contender in conversation.Contenders)
            {
                Write(interaction, conversation, contender);
            }
        }

        interaction.WriteJson(new { Kind = "verdict", report.Drift, BenchmarkReport.MostDrift, report.Trusted });
    }

    private static void Write(IInteraction interaction, string kind, RateFigures rate) => interaction.WriteJson(new
    {
        Kind = kind,
        rate.Tokens,
        rate.TokensPerSecond,
        rate.BareTokensPerSecond,
        rate.ShareOfBare,
        rate.ShareOfLimit,
        rate.Drift,
        rate.Trusted,
    });

    private static void Write(IInteraction interaction, ConversationFigures conversation, ContenderFigures contender) => interaction.WriteJson(new
    {
        Kind = "conversation",
        conversation.Workload.Talk,
        conversation.Workload.Agents,
        conversation.Workload.Preamble,
        conversation.Workload.Rounds,
        Contender = contender.Name,
        contender.Seconds,
        contender.TimesOurs,
        contender.ShareOfLimit,
        contender.ComputedTokens,
        contender.ReusedTokens,
        contender.NewTokens,
        contender.DraftedTokens,
        contender.FirstTokenP50,
        contender.FirstTokenP95,
        contender.TokensPerSecond,
        contender.PeakBytes,
        conversation.Drift,
        conversation.Trusted,
    });
}
