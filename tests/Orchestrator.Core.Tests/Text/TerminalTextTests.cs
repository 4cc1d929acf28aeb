using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Core.Text;

namespace Orchestrator.Core.Tests.Text;

public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("plain text\n\twith lines", "plain text\n\twith lines")]
    [InlineData("\u001b[31mred\u001b[0m", "red")]
    [InlineData("\u001b]0;title\u0007after", "after")]
    [InlineData("\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link")]
    [InlineData("\u001bPq#0\u001b\\after", "after")]
    [InlineData("\u009b2Jcleared", "cleared")]
    [InlineData("a\rb\bc\u0007d", "abcd")]
    [InlineData("user\u202Enimda", "usernimda")]
    [InlineData("open \u001b]0;never ends\nnext line", "open \nnext line")]
    [InlineData("\u001b", "")]
    [InlineData("\u001b[", "")]
    [InlineData("你好 🙂", "你好 🙂")]
    public void What_a_terminal_would_obey_is_removed(string text, string expected) =>
        Assert.Equal(expected, TerminalText.Sanitize(text));

    [Property(MaxTest = 1000)]
    public Property Nothing_that_a_terminal_obeys_is_left()
    {
        var letters = Gen.Elements('\u001b', '[', ']', 'm', ';', '3', '\u0007', '\\', 'P', '\u009b', '\u009c', '\n', 'x', '\u202e', '\r');
        var texts = letters.ArrayOf().Select(c => new string(c));
        return Prop.ForAll(texts.ToArbitrary(), text =>
        {
            var clean = TerminalText.Sanitize(text);
            return clean.All(c => c is '\n' or '\t' || (!char.IsControl(c) && c != '\u202e'))
                && TerminalText.Sanitize(clean) == clean;
        });
    }
}
