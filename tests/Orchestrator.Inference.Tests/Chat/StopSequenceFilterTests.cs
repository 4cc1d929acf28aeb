using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Inference.Chat;

namespace Orchestrator.Inference.Tests.Chat;

public sealed class StopSequenceFilterTests
{
    [Property(MaxTest = 500)]
    public Property Equals_cutting_the_whole_text_however_it_is_split()
    {
        var pieces = Gen.Elements("a", "b", "ab", "ba", "aab", "", "bb").ListOf().Select(l => l.ToArray());
        var stops = Gen.Elements("ab", "bba", "aaa", "bb").ListOf(2).Select(l => l.ToArray());
        return Prop.ForAll(pieces.ToArbitrary(), stops.ToArbitrary(), (text, sequences) =>
        {
            var filter = new StopSequenceFilter(sequences);
            var given = string.Concat(text.Select(filter.Append)) + filter.Flush();
            return given == Cut(string.Concat(text), sequences);
        });
    }

    [Fact]
    public void Holds_back_what_may_become_a_stop_sequence()
    {
        var filter = new StopSequenceFilter(["</s>"]);
        Assert.Equal("x", filter.Append("x</"));
        Assert.Equal("</b", filter.Append("b"));
        Assert.Equal("", filter.Append("</s"));
        Assert.Equal("", filter.Append("> more"));
        Assert.Equal("</s>", filter.Stopped);
    }

    private static string Cut(string text, string[] sequences)
    {
        // A stream stops at the sequence that is complete first; of those, at the one that began first.
        for (var end = 0; end <= text.Length; end++)
        {
            var starts = sequences.Select(s => text[..end].IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).ToArray();
            if (starts.Length > 0)
            {
                return text[..starts.Min()];
            }
        }

        return text;
    }
}
