using Orchestrator.Inference.Scheduling;
using Xunit;

namespace Orchestrator.Inference.Tests.Scheduling;

public sealed class ThreadGovernorTests
{
    private static readonly TimeSpan Decode = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void A_free_machine_keeps_all_threads()
    {
        var governor = new ThreadGovernor(8);

        Assert.Equal(0, Run(governor, seconds: 60, share: 0.97));
        Assert.Equal(8, governor.Threads);
    }

    [Fact]
    public void A_crowded_machine_gets_down_to_one_thread_within_a_few_windows()
    {
        var governor = new ThreadGovernor(8);

        Run(governor, seconds: 0.2, share: 0.6);

        Assert.Equal(1, governor.Threads);
    }

    [Fact]
    public void Threads_come_back_when_the_machine_is_free_again()
    {
        var governor = new ThreadGovernor(4);
        Run(governor, seconds: 20, share: 0.5);
        Assert.Equal(1, governor.Threads);

        Run(governor, seconds: 20, share: 1);

        Assert.Equal(4, governor.Threads);
    }

    [Fact]
    public void More_threads_are_tried_seldom_while_they_find_no_room()
    {
        // One thread fits, two don't.
        var governor = new ThreadGovernor(2);
        var windows = 0;
        for (var second = 0.0; second < 120; second += Decode.TotalSeconds)
        {
            governor.Note(Decode, Decode * (governor.Threads == 1 ? 1 : 0.6));
            windows += governor.Threads == 2 ? 1 : 0;
        }

        Assert.InRange(windows * Decode.TotalSeconds, 0.05, 120 * 0.02);
    }

    [Fact]
    public void One_short_hiccup_is_averaged_over_a_window()
    {
        var governor = new ThreadGovernor(2);
        for (var i = 0; i < 100; i++)
        {
            governor.Note(Decode, Decode * (i % 10 == 0 ? 0.5 : 1));
        }

        Assert.Equal(2, governor.Threads);
    }

    private static int Run(ThreadGovernor governor, double seconds, double share)
    {
        var changes = 0;
        for (var second = 0.0; second < seconds; second += Decode.TotalSeconds)
        {
            changes += governor.Note(Decode, Decode * share) ? 1 : 0;
        }

        return changes;
    }
}
