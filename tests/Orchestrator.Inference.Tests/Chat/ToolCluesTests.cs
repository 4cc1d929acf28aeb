using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Chat;

namespace Orchestrator.Inference.Tests.Chat;

public sealed class ToolCluesTests
{
    [Fact]
    public void A_word_of_one_function_counts_for_it_and_a_word_of_all_for_none()
    {
        var priors = Priors(
            "Please cancel the booking of my hotel.",
            Tool("cancelRoom", "Ends a hotel stay."), Tool("find_room", "Finds a hotel."), Tool("rate_room", "Rates a hotel."));

        Assert.Equal(Math.Log(3), priors[0], 10);
        Assert.Equal([0, 0], priors.Skip(1));
    }

    [Fact]
    public void Words_are_compared_by_their_beginnings_and_parameters_have_words_too()
    {
        var priors = Priors(
            "Which subscriptions end in May?",
            Tool("newsletter", "Subscribes a person."),
            Tool("other", "Does something else.", """{"month":{"type":"string","description":"When it may end."}}"""));

        Assert.Equal(Math.Log(2), priors[0], 10);
        Assert.Equal(2 * Math.Log(2), priors[1], 10);
    }

    [Theory]
    [InlineData("Wake me up", new[] { true, false, false, false })]
    [InlineData("The radius is 4", new[] { false, true, false, false })]
    [InlineData("3 high and two wide", new[] { false, false, true, true })]
    [InlineData("The mean of 3, 4 and 5", new[] { false, false, false, true })]
    public void A_function_has_to_fit_the_numbers_of_the_request(string request, bool[] fits)
    {
        var priors = Priors(
            request,
            Tool("aaa", "", "{}"),
            Tool("bbb", "", """{"x":{"type":"number"}}"""),
            Tool("ccc", "", """{"x":{"type":"number"},"y":{"type":"integer"}}"""),
            Tool("ddd", "", """{"xs":{"type":"array","items":{"type":"number"}}}"""));

        Assert.Equal(fits, priors.Select(p => p == 0));
    }

    [Fact]
    public void An_optional_number_may_be_left_out_and_a_schema_that_names_no_parameters_fits_all()
    {
        var optional = AIFunctionFactory.CreateDeclaration(
            "aaa", "", JsonSerializer.Deserialize<JsonElement>("""{"type":"object","properties":{"x":{"type":"number"}}}"""));
        var unknown = AIFunctionFactory.CreateDeclaration("bbb", "", JsonSerializer.Deserialize<JsonElement>("""{"type":"object"}"""));

        Assert.Equal([0, 0], ToolClues.LogPriors("Go", [optional, unknown]));
        Assert.Equal([-2, 0], ToolClues.LogPriors("From 5 to 6", [optional, unknown]));
    }

    private static IReadOnlyList<double> Priors(string request, params AIFunctionDeclaration[] tools) => ToolClues.LogPriors(request, tools);

    private static AIFunctionDeclaration Tool(string name, string description, string properties = "{}") =>
        AIFunctionFactory.CreateDeclaration(name, description, JsonSerializer.Deserialize<JsonElement>(
            $$"""{"type":"object","properties":{{properties}},"required":{{JsonSerializer.Serialize(JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(properties)!.Keys)}}}"""));
}
