namespace Orchestrator.Plugins.Logs.Tests;

public class ReadingTests
{
    [Fact]
    public void Lines_without_a_time_continue_a_record()
    {
        using var folder = new LogFolder(("a.log", "2026-03-04 10:00:00 ERROR x : failed\nSome.Exception: disk full\n\tat A.b\n2026-03-04 10:00:01 INFO x : fine\n"));
        var records = folder.Reader.Records().ToList();
        Assert.Equal([(1, 3), (4, 1)], records.Select(r => (r.At.Line, r.Lines)));
        Assert.Contains("disk full", records[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_the_year_of_syslog_from_the_other_files()
    {
        using var folder = new LogFolder(("a.log", "2024-02-29 10:00:00 INFO x : y\n"), ("syslog.log", "Feb 29 10:00:01 db-1 kernel: z\n"));
        Assert.All(folder.Reader.Records(), r => Assert.Equal(2024, r.Time!.Value.Year));
    }

    [Fact]
    public void Cuts_endless_lines_off_and_reads_on()
    {
        using var folder = new LogFolder(("a.log", $"2026-03-04 10:00:00 INFO x : {new string('y', 3 * LogReader.MaximumLine)}\r\n2026-03-04 10:00:01 INFO x : end"));
        var records = folder.Reader.Records().ToList();
        Assert.Equal([LogReader.MaximumLine, 32], records.Select(r => r.Text.Length));
        Assert.Equal(2, records[1].At.Line);
    }

    [Theory]
    [InlineData("../a.log")]
    [InlineData("/etc/passwd")]
    [InlineData("b.log")]
    public void Reads_no_file_but_those_of_the_folder(string file)
    {
        using var folder = new LogFolder(("a.log", "x\n"));
        Assert.Throws<FileNotFoundException>(() => folder.Reader.Lines(file).ToList());
    }

    [Fact]
    public void Does_not_follow_links_out_of_the_folder()
    {
        using var outside = new LogFolder(("secret.log", "secret\n"));
        using var folder = new LogFolder(("a.log", "x\n"));
        File.CreateSymbolicLink(Path.Combine(folder.Path, "b.log"), Path.Combine(outside.Path, "secret.log"));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "d"), outside.Path);
        Assert.Equal(["a.log"], folder.Reader.Files());
    }

    [Fact]
    public void Stops_when_asked_to()
    {
        using var folder = new LogFolder(("a.log", "2026-03-04 10:00:00 INFO x : y\n"));
        Assert.Throws<OperationCanceledException>(() => LogIndex.Build(folder.Reader, new CancellationToken(true)));
    }

    [Fact]
    public void Messages_that_differ_in_values_share_a_template()
    {
        var miner = new TemplateMiner();
        var first = miner.Add("Order 17 placed in 32 ms");
        Assert.Equal(first, miner.Add("Order 18 placed in 99.5 ms"));
        Assert.NotEqual(first, miner.Add("Order 18 declined by the bank"));
        Assert.Equal(miner.Add("user anna logged in from home today"), miner.Add("user bob logged in from work today"));
        Assert.Equal("Order <n> placed in <n> ms", miner.Text(first));
    }
}
