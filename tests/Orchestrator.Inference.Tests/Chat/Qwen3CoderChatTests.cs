using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Tests.Templates;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>Conversations with a model that writes as Qwen3-Coder and Qwen 3.5 do, in a vocabulary that has its tokens.</summary>
public sealed class Qwen3CoderChatTests
{
    private static readonly string[] Specials = [.. FakeDriverOptions.ChatMlSpecials, "<tool_call>", "</tool_call>", "<think>", "</think>"];

    private static readonly AIFunction Note = AIFunctionFactory.Create((string text, int? count = null) => $"{count}: {text}", "note", "Keeps a text.");

    [Fact]
    public async Task Calls_one_after_another_are_read_with_texts_as_they_are()
    {
        await using var model = Saying(_ =>
            "Hm.\n</think>\n\nI keep it.\n\n<tool_call>\n<function=note>\n<parameter=text>\na \"b\"\n  <\\/tool_call> 12\n\n</parameter>\n<parameter=count>\n3\n</parameter>\n</function>\n</tool_call>"
            + "\n<tool_call>\n<function=note>\n<parameter=text>\n12\n</parameter>\n</function>\n</tool_call><|im_end|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0, AllowMultipleToolCalls = true });

        var calls = Calls(response);
        Assert.Equal("I keep it.", response.Text.Trim());
        Assert.Equal("Hm.", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)).Trim());
        Assert.Equal(2, calls.Length);
        Assert.Equal("a \"b\"\n  </tool_call> 12\n", ((JsonElement)calls[0].Arguments!["text"]!).GetString());
        Assert.Equal(3, ((JsonElement)calls[0].Arguments!["count"]!).GetInt32());
        Assert.Equal("12", ((JsonElement)calls[1].Arguments!["text"]!).GetString());
    }

    [Fact]
    public async Task A_call_that_the_model_begins_is_held_to_the_tool()
    {
        await using var model = Saying(_ => "</think>\n\n<tool_call>\n{\"name\": \"nonsense\"}");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0, MaxOutputTokens = 300 });

        Assert.Equal("note", Assert.Single(Calls(response)).Name);
    }

    [Fact]
    public async Task The_text_of_a_call_is_no_call()
    {
        await using var model = Saying(_ => "</think>\n\n<\\tool_call>\n<function=note>\n<parameter=text>\na\n</parameter>\n</function>\n<\\/tool_call><|im_end|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0 });

        Assert.Equal("<tool_call>\n<function=note>\n<parameter=text>\na\n</parameter>\n</function>\n</tool_call>", response.Text);
    }

    [Fact]
    public async Task The_arguments_that_a_request_holds_are_read_out_of_it()
    {
        await using var model = Saying(_ => "\n</think>\n\n<tool_call>\n<function=note>\n<parameter=text>\ntwo birds\n</parameter>\n</function>\n</tool_call><|im_end|>");
        var response = await model.Chat.GetResponseAsync("Please keep the words two birds for me.", new ChatOptions
        {
            Tools = [Note],
            ToolMode = ChatToolMode.RequireSpecific("note"),
            Temperature = 0,
            Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None },
        });

        var call = ModelCall.From(response)!;
        Assert.Equal("two birds", ((JsonElement)Assert.Single(Calls(response)).Arguments!["text"]!).GetString());
        Assert.True(call.ForcedTokens > 60, $"{call.ForcedTokens} of {call.TokenIds.Count} tokens were known.");
    }

    [Fact]
    public async Task A_required_call_follows_from_the_thinking_that_the_prompt_begins()
    {
        await using var model = Saying(_ => "Keep it.\n</think>\n\n<tool_call>\n<function=note>\n<parameter=text>\na\n</parameter>\n</function>\n</tool_call><|im_end|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], ToolMode = ChatToolMode.RequireAny, Temperature = 0 });

        Assert.Equal("a", Assert.Single(Calls(response)).Arguments!["text"]!.ToString());
        Assert.Equal("Keep it.\n", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.Equal("", response.Text);
    }

    [Fact]
    public async Task A_text_of_a_given_form_does_not_stand_within_thinking()
    {
        await using var model = Saying(_ => "Hm.</think>\n\n{\"rain\":true}<|im_end|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions
        {
            ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonDocument.Parse("""{"type":"object","properties":{"rain":{"type":"boolean"}},"required":["rain"]}""").RootElement),
            Temperature = 0,
        });

        Assert.Equal("{\"rain\":true}", response.Text);
        Assert.Equal("Hm.", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
    }

    [Fact]
    public async Task A_tool_loop_lays_calls_and_results_out()
    {
        string? second = null;
        await using var model = Saying(prompt =>
        {
            second = prompt;
            return prompt.Contains("<tool_response>", StringComparison.Ordinal)
                ? "</think>\n\nDone.<|im_end|>"
                : "</think>\n\n<tool_call>\n<function=note>\n<parameter=text>\na<\\|im_end|>\"\nb\n</parameter>\n<parameter=count>\n2\n</parameter>\n</function>\n</tool_call><|im_end|>";
        });
        using var client = new ChatClientBuilder(model.Chat).UseFunctionInvocation().Build();
        var response = await client.GetResponseAsync("Keep it.", new ChatOptions { Tools = [Note], Temperature = 0 });

        Assert.Equal("Done.", response.Text);
        Assert.EndsWith(
            "<tool_call>\n<function=note>\n<parameter=text>\na<|im_end|>\"\nb\n</parameter>\n<parameter=count>\n2\n</parameter>\n</function>\n</tool_call><|im_end|>\n"
            + "<|im_start|>user\n<tool_response>\n2: a<|im_end|>\"\nb\n</tool_response><|im_end|>\n<|im_start|>assistant\n<think>\n",
            second,
            StringComparison.Ordinal);
    }

    private static FunctionCallContent[] Calls(ChatResponse response) =>
        [.. response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>()];

    private static LoadedModel Saying(Func<string, string> answer) => LoadedModel.Create(
        new FakeDriver(new FakeDriverOptions
        {
            ChatTemplate = GoldenTemplateTests.Source("qwen3coder.jinja"),
            Specials = Specials,
            Script = FakeDriverScript.Answers(answer, "<|im_start|>assistant\n<think>\n", Specials),
        }),
        new InferenceOptions(),
        TimeProvider.System);
}
