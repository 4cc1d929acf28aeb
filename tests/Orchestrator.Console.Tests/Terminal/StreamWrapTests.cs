using FsCheck;
using FsCheck.Xunit;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Tests.Terminal;

public class StreamWrapTests
{
    private const string Alphabet = "abc  \t\n-宽，é🙂";

    [Theory]
    [InlineData("one two three", "one two\nthree\n")]
    [InlineData("a  b\n  c: dd", "a  b\n  c: dd\n")]
    [InlineData("abcdefgh", "abcdefgh\n")]
    [InlineData("in abcdefghijklmnopqr it", "in\nabcdefgh\nijklmnop\nqr it\n")]
    [InlineData("宽宽宽，宽宽宽", "宽宽宽，\n宽宽宽\n")]
    [InlineData("\u001b[31mred\u001b[0m and on", "red and\non\n")]
    [InlineData("🙂🙂🙂🙂🙂", "🙂🙂🙂🙂\n🙂\n")]
    public void Lines_of_eight_columns_break_between_words(string text, string shown) => Assert.Equal(shown, Wrap([text], 8));

    [Fact]
    public void What_stands_before_a_line_is_written_before_all_but_the_first()
    {
        var terminal = new ScriptedInteraction();
        var lines = new StreamWrap(terminal, 3, () => terminal.Write("| "));
        lines.Append("one two\nsix");
        lines.End();
        lines.Append("ten");
        lines.End();
        Assert.Equal("one\n| two\n| six\nten\n", terminal.Shown);
    }

    [Property]
    public bool Only_spaces_are_lost_no_line_is_too_long_and_it_does_not_matter_how_the_text_comes(
        NonEmptyArray<NonNegativeInt> letters, PositiveInt pieces, PositiveInt extra)
    {
        var (text, width) = (Text(letters), extra.Get + 1);
        var shown = Wrap([text], width);
        return Visible(shown) == Visible(text)
            && shown.Split('\n').All(line => Columns(line) <= width)
            && Wrap(Cut(text, pieces.Get), width) == shown;
    }

    [Property]
    public bool Without_a_width_the_text_stays_as_it_is(NonEmptyArray<NonNegativeInt> letters, PositiveInt pieces) =>
        Wrap(Cut(Text(letters), pieces.Get), StreamWrap.Unlimited) == Text(letters) + "\n";

    private static string Wrap(IEnumerable<string> pieces, int width)
    {
        var terminal = new ScriptedInteraction();
        var lines = new StreamWrap(terminal, width);
        foreach (var piece in pieces)
        {
            lines.Append(piece);
        }

        lines.End();
        return terminal.Shown;
    }

    private static string Text(NonEmptyArray<NonNegativeInt> letters)
    {
        var runes = Alphabet.EnumerateRunes().ToArray();
        return string.Concat(letters.Get.Select(letter => runes[letter.Get % runes.Length].ToString()));
    }

    private static IEnumerable<string> Cut(string text, int pieces) =>
        text.EnumerateRunes().Chunk(pieces).Select(chunk => string.Concat(chunk.Select(rune => rune.ToString())));

    private static string Visible(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static int Columns(string line) =>
        line.EnumerateRunes().Sum(rune => rune.Value is '\t' ? 8 : rune.ToString() is "宽" or "，" or "🙂" ? 2 : 1);
}
