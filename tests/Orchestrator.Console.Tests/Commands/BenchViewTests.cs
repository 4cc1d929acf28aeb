using Orchestrator.Console.Commands.Bench;
using Orchestrator.Console.Tests.Terminal;
using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Console.Tests.Commands;

public class BenchViewTests
{
    [Theory]
    [InlineData(1.2, false)]
    [InlineData(1.3, true)]
    public void A_report_of_a_machine_that_drifted_says_that_it_can_t_be_trusted(double drift, bool warned)
    {
        var interaction = new ScriptedInteraction();
        BenchView.Show(interaction, Report(drift));
        Assert.Equal(warned, interaction.Shown.Contains("Don't trust these figures", StringComparison.Ordinal));
        Assert.Equal(warned, interaction.Shown.Contains("(drifted)", StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_whose_conversations_were_not_compared_says_why()
    {
        var interaction = new ScriptedInteraction();
        BenchView.Show(interaction, Report(1));
        Assert.Contains("can't be cut", interaction.Shown, StringComparison.Ordinal);
    }

    private static BenchmarkReport Report(double drift) => new()
    {
        Model = "m",
        WeightBytes = 1 << 20,
        Threads = 2,
        Machine = new MachineReading(10, 100),
        Drift = drift,
        Prefill = new RateFigures(512, 100, 110, 0.91, 0.5, drift),
        Decode = [new RateFigures(1, 50, 50, 1, 0.8, 1)],
        Conversations = [],
    };
}
