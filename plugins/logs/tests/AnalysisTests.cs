using System.Globalization;
using Incident.Generator;

namespace Orchestrator.Plugins.Logs.Tests;

public class AnalysisTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 4, 10, 0, 0, TimeSpan.Zero);

    private static string Line(double second, string level, string rid, string message) =>
        string.Create(CultureInfo.InvariantCulture, $"{Start.AddSeconds(second):yyyy-MM-dd HH:mm:ss.fff} {level} [x,{rid}] 1 --- [h] c : {message}\n");

    [Fact]
    public void Finds_the_moment_when_the_rate_of_errors_rises()
    {
        var text = string.Concat(Enumerable.Range(0, 600).Select(i => Line(i, i % 97 == 0 || (i > 400 && i % 3 == 0) ? "ERROR" : "INFO", $"{i:x8}", "work")));
        using var folder = new LogFolder(("a.log", text));
        var onset = Onset.Find(LogIndex.Build(folder.Reader))!;
        Assert.InRange((onset.Time - Start).TotalSeconds, 385, 420);
        Assert.True(onset.After > 5 * onset.Before);
    }

    [Fact]
    public void Nothing_is_found_where_nothing_happens()
    {
        using var folder = new LogFolder(("a.log", Line(0, "INFO", "00000000", "work")));
        var index = LogIndex.Build(folder.Reader);
        Assert.Null(Onset.Find(index));
        Assert.Empty(Suspect.Rank(index));
    }

    [Fact]
    public void Follows_a_request_to_the_service_that_failed_first()
    {
        using var folder = new LogFolder(
            ("shop.log", Line(3.0, "ERROR", "abcdef01", "Request failed after 3000 ms")),
            ("stock.log", Line(2.9, "ERROR", "abcdef01", "failed after 2800 ms") + Line(1, "INFO", "99999999", "took 5 ms")));
        var path = RequestPath.Of(LogIndex.Build(folder.Reader), "abcdef01")!;
        Assert.Equal(["shop", "stock"], path.Hops.Select(h => h.Service));
        Assert.Equal("stock", path.FirstFailure);
        Assert.Equal([200.0, 2800.0], path.Hops.Select(h => h.SelfMs!.Value));
        Assert.Null(RequestPath.Of(LogIndex.Build(folder.Reader), "nobody"));
    }

    [Fact]
    public void Ranks_messages_that_are_new_or_more_frequent()
    {
        var text = string.Concat(Enumerable.Range(0, 600).Select(i => Line(i, "INFO", "", i > 300 && i % 5 == 0 ? "cannot reach the moon" : $"beat {i}")));
        using var folder = new LogFolder(("a.log", text));
        var first = Anomaly.Rank(LogIndex.Build(folder.Reader), Start.AddSeconds(300))[0];
        Assert.Equal(("cannot reach the moon", 0, 59, true), (first.Template, first.Before, first.After, first.IsNew));
        Assert.Equal(306, first.First.Line);
    }

    [Fact]
    public void Two_rates_explain_a_change_better_than_one()
    {
        Assert.Equal(0, Rates.Bits(5, 10, 5, 10), 9);
        Assert.True(Rates.Bits(1, 10, 20, 10) > 10);
        Assert.True(Rates.Bits(20, 10, 1, 10) < -10);
        Assert.Equal(Rates.Bits(1, 10, 20, 10), -Rates.Bits(20, 10, 1, 10), 9);
    }

    [Fact]
    public void A_search_combines_its_conditions()
    {
        using var folder = new LogFolder(("a.log", Line(0, "ERROR", "", "Disk full") + Line(60, "ERROR", "", "disk FULL again") + Line(61, "INFO", "", "disk full?")), ("b.log", Line(62, "ERROR", "", "disk full")));
        var reader = folder.Reader;
        Assert.Equal(4, new LogSearch { Text = "disk full" }.Find(reader).Count);
        Assert.Equal(["a.log:2"], new LogSearch { Text = "^.*disk\\s+full", IsRegex = true, Service = "A", AtLeast = Severity.Error, From = Start.AddSeconds(30) }.Find(reader).Select(r => r.At.ToString()));
        Assert.Single(new LogSearch { Max = 1 }.Find(reader));
        Assert.ThrowsAny<ArgumentException>(() => new LogSearch { Text = "(", IsRegex = true }.Find(reader));
    }

    [Fact]
    public void Sparklines_are_plain_ascii() => Assert.Equal(" .+@", TimeBuckets.Sparkline([0, 0.1, 5, 10]));

    [Fact]
    public void Names_the_service_of_most_incidents_of_the_kinds_that_it_was_built_with()
    {
        var kinds = FaultKind.All.Where(k => !k.HeldOut).ToList();
        var right = 0;
        for (var i = 0; i < 17; i++)
        {
            var incident = IncidentFolder.Make(100 + i, kinds[i % kinds.Count]);
            using var folder = new LogFolder([.. incident.Files.Select(f => (f.Key, f.Value))]);
            right += Suspect.Rank(LogIndex.Build(folder.Reader))[0].Service == incident.Truth.Service ? 1 : 0;
        }

        // Chance is 2 of 17.
        Assert.InRange(right, 13, 17);
    }
}
