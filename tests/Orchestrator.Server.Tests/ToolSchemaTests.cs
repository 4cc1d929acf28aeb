using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Testing.Models;

namespace Orchestrator.Server.Tests;

/// <summary>What clients send as the parameters of functions, and what reaches the model.</summary>
public sealed class ToolSchemaTests
{
    [Theory]
    [InlineData("dict", "object")]
    [InlineData("float", "number")]
    [InlineData("double", "number")]
    [InlineData("int", "integer")]
    [InlineData("str", "string")]
    [InlineData("bool", "boolean")]
    [InlineData("tuple", "array")]
    [InlineData("list", "array")]
    [InlineData("String", "string")]
    [InlineData("integer", "integer")]
    public async Task Types_are_read_by_the_names_that_languages_have_for_them(string sent, string meant) =>
        await SameAsync(
            $$$"""{"type":"dict","properties":{"x":{"type":"{{{sent}}}"}},"required":["x"]}""",
            $$$"""{"type":"object","properties":{"x":{"type":"{{{meant}}}"}},"required":["x"]}""");

    [Fact]
    public async Task Any_type_is_no_type() =>
        await SameAsync(
            """{"type":"object","properties":{"x":{"type":"any","description":"Whatever."}}}""",
            """{"type":"object","properties":{"x":{"description":"Whatever."}}}""");

    [Fact]
    public async Task Types_are_read_at_any_depth_and_a_parameter_may_have_any_name() =>
        await SameAsync(
            """
            {"type":"dict","properties":{
              "type":{"type":"float"},
              "required":{"type":"dict","properties":{"items":{"type":"list","items":{"type":"tuple","items":{"type":"int"}}}}},
              "either":{"anyOf":[{"type":"str"},{"type":"bool"}]}}}
            """,
            """
            {"type":"object","properties":{
              "type":{"type":"number"},
              "required":{"type":"object","properties":{"items":{"type":"array","items":{"type":"array","items":{"type":"integer"}}}}},
              "either":{"anyOf":[{"type":"string"},{"type":"boolean"}]}}}
            """);

    [Fact]
    public async Task Values_are_left_as_they_are() =>
        await SameAsync(
            """{"type":"object","properties":{"x":{"type":"string","enum":["float","dict"],"default":"dict"},"y":{"type":["string","null"],"const":{"type":"int"}}}}""",
            """{"type":"object","properties":{"x":{"type":"string","enum":["float","dict"],"default":"dict"},"y":{"type":["string","null"],"const":{"type":"int"}}}}""");

    [Fact]
    public async Task Required_at_a_parameter_is_required_of_the_object() =>
        await SameAsync(
            """{"type":"object","properties":{"x":{"type":"string","required":true},"y":{"type":"string","required":false}}}""",
            """{"type":"object","properties":{"x":{"type":"string"},"y":{"type":"string"}},"required":["x"]}""");

    [Fact]
    public async Task The_options_of_a_list_are_those_of_its_items() =>
        await SameAsync(
            """{"type":"object","properties":{"x":{"type":"array","items":{"type":"string"},"enum":["a","b"]},"y":{"type":"array","enum":[[1],[2]]}}}""",
            """{"type":"object","properties":{"x":{"type":"array","items":{"type":"string","enum":["a","b"]}},"y":{"type":"array","enum":[[1],[2]]}}}""");

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"type":"dict"}""")]
    public async Task A_function_may_have_no_parameters(string sent) =>
        await SameAsync(sent, """{"type":"object","properties":{}}""");

    private static async Task SameAsync(string sent, string meant)
    {
        AIFunctionDeclaration? tool = null;
        using var client = new ScriptedChatClient(request =>
        {
            tool = request.Options!.Tools!.OfType<AIFunctionDeclaration>().Single();
            return ScriptedAnswer.Says("");
        });
        await using var server = await ModelServer.StartAsync(
            new ServerOptions { Url = "http://127.0.0.1:0", Open = true }, client, null, TimeProvider.System);
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", JsonNode.Parse($$$"""
            {"messages":[{"role":"user","content":"?"}],"tools":[{"type":"function","function":{"name":"area.verb","parameters":{{{sent}}}}}]}
            """));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal("area.verb", tool!.Name);
        Assert.True(
            JsonElement.DeepEquals(JsonDocument.Parse(meant).RootElement, tool.JsonSchema),
            $"Read as {tool.JsonSchema.GetRawText()}");
    }
}
