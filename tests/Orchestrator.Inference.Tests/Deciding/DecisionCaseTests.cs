using Orchestrator.Core;
using Orchestrator.Inference.Deciding;

namespace Orchestrator.Inference.Tests.Deciding;

public class DecisionCaseTests
{
    [Fact]
    public void The_built_in_cases_are_enough_of_both_kinds_and_do_not_favour_a_place()
    {
        var cases = DecisionCase.BuiltIn();

        Assert.Equal(cases.Count, cases.Select(c => c.Text).Distinct().Count());
        Assert.All(Enum.GetValues<DecisionKind>(), kind => Assert.InRange(cases.Count(c => c.Kind == kind), DecisionProfile.FewestCases, cases.Count));
        Assert.All(cases, c => Assert.InRange(c.Options.Count, 4, 26));
        Assert.All(
            cases.GroupBy(c => c.Options.ToList().FindIndex(o => o.Name == c.Right)), place => Assert.InRange(place.Count(), 1, cases.Count / 3));
    }

    [Fact]
    public void A_line_without_options_has_those_of_the_line_before()
    {
        var cases = DecisionCase.Parse(
            ["""{"text": "a", "options": [{"name": "x", "description": "d"}, {"name": "y", "description": "e"}], "right": "x"}""", "", """{"text": "b", "right": "y"}"""],
            "mine.jsonl");

        Assert.Equal(["x", "y"], cases.Select(c => c.Right));
        Assert.Same(cases[0].Options, cases[1].Options);
        Assert.All(cases, c => Assert.Equal(DecisionKind.Described, c.Kind));
    }

    [Theory]
    [InlineData("{", "mine.jsonl:2", "")]
    [InlineData("null", "mine.jsonl:2", "null")]
    [InlineData("""{"text": "b", "right": "x", "answer": 1}""", "mine.jsonl:2", "answer")]
    [InlineData("""{"text": 5, "right": "x"}""", "mine.jsonl:2", "$.text")]
    [InlineData("""{"text": " ", "right": "x"}""", "mine.jsonl:2", "text:")]
    [InlineData("""{"text": "b"}""", "mine.jsonl:2", "right: it is missing")]
    [InlineData("""{"text": "b", "right": "z"}""", "mine.jsonl:2", "right: 'z'")]
    [InlineData("""{"text": "b", "options": [{"name": "x"}], "right": "x"}""", "mine.jsonl:2", "options:")]
    [InlineData("""{"text": "b", "options": [{"name": "x"}, {"description": "d"}], "right": "x"}""", "mine.jsonl:2", "options[1].name")]
    [InlineData("""{"text": "b", "options": [{"name": "x"}, {"name": "x"}], "right": "x"}""", "mine.jsonl:2", "options[1].name")]
    [InlineData("""{"text": "b", "options": [{"name": "x"}, {"name": "y", "description": ""}], "right": "x"}""", "mine.jsonl:2", "options[1].description")]
    [InlineData("""{"text": "b", "options": [null, {"name": "y"}], "right": "y"}""", "mine.jsonl:2", "options[0]")]
    public void A_line_that_is_no_case_is_named_with_its_key(string line, string place, string cause)
    {
        var error = Assert.Throws<OrchestratorException>(() => DecisionCase.Parse(
            ["""{"text": "a", "options": [{"name": "x"}, {"name": "y"}], "right": "x"}""", line], "mine.jsonl"));

        Assert.Equal(ErrorKind.Configuration, error.Kind);
        Assert.StartsWith(place, error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_line_needs_options_and_a_file_needs_a_line()
    {
        Assert.Contains("options:", Assert.Throws<OrchestratorException>(() => DecisionCase.Parse(["""{"text": "a", "right": "x"}"""], "f")).Message, StringComparison.Ordinal);
        Assert.Contains("no case", Assert.Throws<OrchestratorException>(() => DecisionCase.Parse([""], "f")).Message, StringComparison.Ordinal);
    }
}
