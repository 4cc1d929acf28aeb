using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Core;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs.Tests.Logs;

public sealed class RunLogReaderTests
{
    [Fact]
    public void A_log_cut_off_at_any_byte_reads_back_up_to_its_last_complete_event()
    {
        var bytes = Log(SampleEvents.All);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var complete = bytes.AsSpan(0, length).Count((byte)'\n');
            var log = RunLogReader.Parse(bytes.AsSpan(0, length), "f");
            Assert.Equal(complete, log.Events.Count);
            Assert.Equal(log.CompleteBytes < length, log.Torn);
            Assert.Equal(complete == 0 ? 0 : bytes.AsSpan(0, length).LastIndexOf((byte)'\n') + 1, log.CompleteBytes);
        }
    }

    [Property(MaxTest = 200)]
    public Property A_tail_of_zeros_or_noise_is_left_out() => Prop.ForAll(
        Gen.ArrayOf(Gen.Choose(0, 255)).ToArbitrary(),
        Gen.Choose(0, SampleEvents.All.Count).ToArbitrary(),
        (noise, count) =>
        {
            var whole = Log([.. SampleEvents.All.Take(count)]);
            byte[] tail = [.. noise.Select(b => (byte)b).Where(b => b != (byte)'\n')];
            var log = RunLogReader.Parse([.. whole, .. tail], "f");
            return log.Events.Count == count && log.CompleteBytes == whole.Length && log.Torn == tail.Length > 0;
        });

    [Fact]
    public void Damage_before_the_end_is_an_error_that_names_the_line()
    {
        var lines = Encoding.UTF8.GetString(Log(SampleEvents.All)).Split('\n');
        lines[2] = lines[2][..10];
        var error = Assert.Throws<OrchestratorException>(
            () => RunLogReader.Parse(Encoding.UTF8.GetBytes(string.Join('\n', lines)), "events.jsonl"));
        Assert.Contains("'events.jsonl' is damaged in line 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_event_is_an_error()
    {
        var lines = Encoding.UTF8.GetString(Log(SampleEvents.All)).Split('\n').ToList();
        lines.RemoveAt(4);
        Assert.Throws<OrchestratorException>(
            () => RunLogReader.Parse(Encoding.UTF8.GetBytes(string.Join('\n', lines)), "f"));
    }

    [Fact]
    public void A_newer_format_is_refused_with_both_versions()
    {
        var newer = Encoding.UTF8.GetString(Log(SampleEvents.All))
            .Replace("\"formatVersion\":1", "\"formatVersion\":2", StringComparison.Ordinal);
        var error = Assert.Throws<OrchestratorException>(() => RunLogReader.Parse(Encoding.UTF8.GetBytes(newer), "f"));
        Assert.Equal("The run was recorded in format 2; this version reads formats up to 1.", error.Message);
    }

    [Fact]
    public void An_unknown_kind_of_the_same_format_is_kept_aside_and_an_unknown_property_ignored()
    {
        const string Text = """
            {"type":"round.started","round":1,"maxRounds":2,"seq":0,"time":"2026-01-31T00:00:00+00:00","mood":"good"}
            {"seq":1,"type":"mood.changed","time":"2026-01-31T00:00:00+00:00"}
            {"type":"tool.called","callId":"c","tool":"x-y","arguments":{},"seq":2,"time":"2026-01-31T00:00:00+00:00"}
            {"type":"round.started","round":2,"maxRounds":2,"seq":3,"time":"2026-01-31T00:00:00+00:00"}

            """;
        var log = RunLogReader.Parse(Encoding.UTF8.GetBytes(Text.ReplaceLineEndings("\n")), "f");
        Assert.Equal([0L, 2L, 3L], log.Events.Select(e => e.Sequence));
        Assert.Contains("mood.changed", Assert.Single(log.Unrecognised), StringComparison.Ordinal);
    }

    /// <summary>The file was written when format 1 began; if this fails, logs that people keep can no longer be read.</summary>
    [Fact]
    public async Task The_kept_sample_of_format_1_reads_back()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Samples", "format-1.jsonl");
        var log = await RunLogReader.ReadAsync(path);
        Assert.Empty(log.Unrecognised);
        Assert.Equal(Log(SampleEvents.All), Log(log.Events));
        Assert.Equal(Encoding.UTF8.GetString(await File.ReadAllBytesAsync(path)), Encoding.UTF8.GetString(Log(log.Events)));
    }

    internal static byte[] Log(IReadOnlyList<RunEvent> events)
    {
        var lines = new RunLogLines();
        return [.. events.SelectMany((e, i) =>
            lines.Write(e with { Sequence = i, Time = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero) }).Line)];
    }
}
