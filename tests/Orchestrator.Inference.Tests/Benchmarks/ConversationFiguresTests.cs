using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Inference.Tests.Benchmarks;

public class ConversationFiguresTests
{
    private static readonly Workload Workload = new(Talk.InTurn, 2, 10, 1);

    [Fact]
    public void Figures_are_medians_of_repeats_and_ratios_of_neighbours()
    {
        Outcome[] ours = [Of(2, 5), Of(4, 5), Of(100, 5)];
        Outcome[] limit = [Of(1, 5), Of(3, 5), Of(90, 5)];
        var figures = ContenderFigures.Of(Workload, "ours", ours, ours, limit);
        Assert.Equal(4, figures.Seconds, 6);
        Assert.Equal(1, figures.TimesOurs, 6);
        Assert.Equal(0.75, figures.ShareOfLimit!.Value, 6);
        Assert.Equal((5, 25), (figures.ComputedTokens, figures.ReusedTokens));
        Assert.Equal(2 * Workload.Answer / 4.0, figures.TokensPerSecond, 6);
        Assert.Null(figures.PeakBytes);
    }

    [Fact]
    public void Without_a_limit_there_is_no_share_of_it()
    {
        Outcome[] ours = [Of(2, 5)];
        Assert.Null(ContenderFigures.Of(Workload, "ours", ours, ours, limit: null).ShareOfLimit);
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(1.25, true)]
    [InlineData(1.26, false)]
    public void Figures_of_a_machine_that_drifted_are_not_trusted(double drift, bool trusted) =>
        Assert.Equal(trusted, new ConversationFigures(Workload, [], drift).Trusted);

    private static Outcome Of(double seconds, int computed) =>
        new(TimeSpan.FromSeconds(seconds), Prompt: 30, computed, Drafted: 0, New: 5, [TimeSpan.FromSeconds(1)], PeakBytes: null);
}
