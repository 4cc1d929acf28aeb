using Orchestrator.Inference.Chat;

namespace Orchestrator.Inference.Tests.Chat;

public class RequestValuesTests
{
    [Theory]
    [InlineData("Sort 9, 3 and -7.5.", "9|3|-7.5")]
    [InlineData("It cost 1,250 dollars, 007 of them.", "1250|7")]
    [InlineData("A table for four at 19:30 on 2024-05-17.", "4")]
    [InlineData("Case 2019-CV-1234, package 1Z999AA1, version 1.2.3", "")]
    [InlineData("70kg and 1.75 m", "70|1.75")]
    public void Numbers_are_what_stands_alone(string text, string expected) =>
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries), new RequestValues(text).Numbers);

    [Fact]
    public void Texts_begin_and_end_at_words()
    {
        var values = new RequestValues("Copy /home/ann/a.txt to Luigi's, please.");
        Assert.Equal(5, values.Words);
        Assert.Contains("/home/ann/a.txt", values.From(1));
        Assert.Contains("Luigi's", values.From(3));
    }

    [Fact]
    public void Days_are_written_as_ISO_8601_does() =>
        Assert.Equal(
            ["2024-03-08", "2024-05-17", "2023-12-01"],
            new RequestValues("On 2024-03-08, May 17, 2024 or 1 December 2023.").Dates);

    [Fact]
    public void Lists_are_what_commas_and_words_set_apart()
    {
        var values = new RequestValues("A pizza with mushrooms, red onions and olives");
        Assert.Contains("[\"mushrooms\", \"red onions\", \"olives\"]", values.TextLists);
        Assert.Contains("[9, 3, 7]", new RequestValues("Sort 9, 3 and 7").NumberLists);
    }

    [Fact]
    public void What_is_quoted_is_whole() =>
        Assert.Equal(["Where is it?", "Ann's"], new RequestValues("Say \"Where is it?\" and `Ann's`.").Quotations);
}
