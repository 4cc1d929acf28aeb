using Orchestrator.Core.Text;

namespace Orchestrator.Core.Tests.Text;

public class ExcerptTests
{
    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abc", 9, "abc")]
    [InlineData("abc", 2, "ab")]
    [InlineData("abc", 0, "")]
    [InlineData("a🚀b", 2, "a")]
    [InlineData("a🚀b", 3, "a🚀")]
    [InlineData("🚀", 1, "")]
    public void A_beginning_ends_between_characters(string text, int characters, string expected) =>
        Assert.Equal(expected, Excerpt.Beginning(text, characters).ToString());

    [Fact]
    public void Less_than_nothing_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Excerpt.Beginning("abc", -1).ToString());
}
