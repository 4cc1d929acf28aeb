using FsCheck;
using FsCheck.Xunit;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Tests.Terminal;

public class WordWrapTests
{
    [Fact]
    public void Lines_break_between_words_and_go_on_below() =>
        Assert.Equal("one two\n    three", WordWrap.Hang("one two three", width: 14, indent: 4));

    [Fact]
    public void A_path_longer_than_a_line_stays_whole() =>
        Assert.Equal("in\n  /a/very/long/path\n  it is", WordWrap.Hang("in /a/very/long/path it is", width: 8, indent: 2));

    [Fact]
    public void A_command_between_backticks_stays_whole() =>
        Assert.Equal("see it:\n`a b c`,\nthen", WordWrap.Hang("see it: `a b c`, then", width: 10, indent: 0));

    [Property]
    public bool Words_are_kept_and_only_a_lone_word_is_wider_than_the_terminal(NonEmptyArray<PositiveInt> lengths, PositiveInt width)
    {
        string[] words = [.. lengths.Get.Select(length => new string('x', length.Get))];
        var lines = WordWrap.Hang(string.Join(' ', words), width.Get, indent: 0).Split('\n');
        return lines.SelectMany(line => line.Split(' ')).SequenceEqual(words)
            && lines.All(line => line.Length <= width.Get || !line.Contains(' ', StringComparison.Ordinal));
    }
}
