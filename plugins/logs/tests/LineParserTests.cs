using FsCheck.Xunit;

namespace Orchestrator.Plugins.Logs.Tests;

public class LineParserTests
{
    [Theory]
    [InlineData("""{"level":50,"time":1772619133123,"hostname":"payments-2","reqId":"9f2c77aa","durationMs":212,"msg":"declined"}""", "2026-03-04T10:12:13.123Z", Severity.Error, "payments", "9f2c77aa", 212.0, "declined")]
    [InlineData("""{"@t":"2026-03-04T10:12:13.1230000Z","@m":"shipped","MachineName":"f-1","CorrelationId":"9f2c77aa","Elapsed":41}""", "2026-03-04T10:12:13.123Z", Severity.Info, null, "9f2c77aa", 41.0, "shipped")]
    [InlineData("""time=2026-03-04T10:12:13.123Z level=warn service=catalog msg="slow search" duration_ms=23 request_id=9f2c77aa""", "2026-03-04T10:12:13.123Z", Severity.Warning, "catalog", "9f2c77aa", 23.0, "slow search")]
    [InlineData("2026-03-04 10:12:13.123 ERROR [checkout,9f2c77aa] 1 --- [exec-7] c.s.OrderController : Failed after 412 ms", "2026-03-04T10:12:13.123Z", Severity.Error, null, "9f2c77aa", 412.0, "Failed after 412 ms")]
    [InlineData("2026-03-04 10:12:13,123 WARNING inventory.stock [9f2c77aa] low: 5 left", "2026-03-04T10:12:13.123Z", Severity.Warning, null, "9f2c77aa", null, "inventory.stock [9f2c77aa] low: 5 left")]
    [InlineData("2026-03-04 10:12:13.123 UTC [212] inventory@shop LOG:  duration: 212.5 ms  statement: SELECT 1 /* rid=9f2c77aa */", "2026-03-04T10:12:13.123Z", Severity.Info, null, "9f2c77aa", 212.5, "duration: 212.5 ms  statement: SELECT 1 /* rid=9f2c77aa */")]
    [InlineData("1:M 04 Mar 2026 10:12:13.123 # Client closed", "2026-03-04T10:12:13.123Z", Severity.Warning, null, null, null, "Client closed")]
    [InlineData("Mar  4 10:12:13 db-1 CRON[33]: (root) CMD (x)", "2026-03-04T10:12:13Z", null, "db", null, null, "CRON[33]: (root) CMD (x)")]
    [InlineData("2026/03/04 10:12:13 [error] 31#31: *88 upstream timed out, rid: 9f2c77aa", "2026-03-04T10:12:13Z", Severity.Error, null, "9f2c77aa", null, "*88 upstream timed out, rid: 9f2c77aa")]
    [InlineData("1.2.3.4 - - [04/Mar/2026:10:12:13 +0000] \"GET /p/1 HTTP/1.1\" 503 51 \"-\" \"x\" rt=0.123 rid=9f2c77aa", "2026-03-04T10:12:13Z", Severity.Error, null, "9f2c77aa", 123.0, "GET /p/1 503")]
    public void Reads_the_usual_formats(string line, string time, Severity? severity, string? service, string? request, double? ms, string message)
    {
        var parsed = LineParser.Parse(line, 2026);
        Assert.Equal(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture), parsed.Time);
        Assert.Equal((severity, service, request, ms, message), (parsed.Severity, parsed.Service, parsed.RequestId, parsed.DurationMs, parsed.Message));
    }

    [Property]
    public bool Never_throws(string? text) => LineParser.Parse(text?.ReplaceLineEndings(" ") ?? "", 2026).Message is not null;

    [Property]
    public bool Never_throws_on_broken_json(string? text) => LineParser.Parse("{\"time\":" + text, 2026).Message is not null;

    [Theory]
    [InlineData("{}")]
    [InlineData("[1,2]")]
    [InlineData("{\"time\":1e300}")]
    [InlineData("{\"time\":null,\"level\":{\"a\":1}}")]
    [InlineData("2026-99-99 99:99:99 ERROR x")]
    [InlineData("Feb 30 10:00:00 h p: x")]
    public void Text_without_a_real_time_has_none(string line) => Assert.Null(LineParser.Parse(line, 2026).Time);
}
