using System.Globalization;

namespace Orchestrator.Plugins.Logs.Tests;

public class SignalTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 4, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("upstream: http://catalog-1:8080 timed out", "edge", "catalog")]
    [InlineData("Inventory unavailable", "checkout", "inventory")]
    [InlineData("checkout asked inventory-2", "checkout", "inventory")]
    [InlineData("orders-db.internal not found", "catalog", "orders-db")]
    [InlineData("catalog=hit my-inventory catalogue", "edge", null)]
    public void Finds_the_other_service_that_a_line_names(string text, string self, string? peer) =>
        Assert.Equal(peer, new PeerNames(["catalog", "checkout", "inventory", "orders-db", "edge"]).FirstIn(text, self));

    [Fact]
    public void Reads_the_numbers_that_a_line_reports_and_no_times_and_ids()
    {
        using var folder = new LogFolder(("a.log", "time=2026-03-04T10:12:13.123Z level=info msg=\"pool holds 3 of 20\" pid=17 depth=41\n"));
        Assert.Equal(["depth=41", "#0=3", "#1=20"], ReportedValue.In(folder.Reader.Records().Single())!.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Name}={v.Value}")));
    }

    [Fact]
    public void The_service_that_changed_and_fails_first_is_suspected_before_those_that_complain_about_it()
    {
        var shop = new System.Text.StringBuilder();
        var stock = new System.Text.StringBuilder();
        for (var i = 0; i < 600; i++)
        {
            var bad = i > 400;
            stock.Append(Line(i + 0.4, bad ? "ERROR" : "INFO", $"{i:x8}", bad ? "reserve failed after 20 ms: no connection left" : "reserved in 20 ms"));
            shop.Append(Line(i + 0.5, bad ? "ERROR" : "INFO", $"{i:x8}", bad ? "stock unavailable after 400 ms" : "order placed in 40 ms"));
            if (i == 390)
            {
                stock.Append(Line(i + 0.6, "INFO", "", "configuration reloaded: pool 40 -> 4"));
            }
        }

        using var folder = new LogFolder(("shop.log", shop.ToString()), ("stock.log", stock.ToString()));
        var index = LogIndex.Build(folder.Reader);
        var ranked = Suspect.Rank(index);
        Assert.Equal("stock", ranked[0].Service);
        Assert.Equal(1, ranked[0].FailedFirst);
        Assert.Equal(1, ranked.Sum(s => s.Score), 9);

        var found = new Findings(index, folder.Reader, Onset.Find(index)!, ranked);
        Assert.Contains("pool 40 -> 4", found.Quote(Assert.Single(found.Changes("stock"))), StringComparison.Ordinal);
        Assert.Equal("shop", Assert.Single(found.Elsewhere("stock")).Service);
        Assert.Empty(Citations.Problems(found.Write(ranked[0]), folder.Reader));
    }

    [Fact]
    public void The_weights_belong_to_the_signals() => Assert.Equal(ServiceSignals.Names.Count, Suspect.Weights.Length);

    private static string Line(double second, string level, string rid, string message) =>
        string.Create(CultureInfo.InvariantCulture, $"{Start.AddSeconds(second):yyyy-MM-dd HH:mm:ss.fff} {level} [x,{rid}] 1 --- [h] c : {message}\n");
}
