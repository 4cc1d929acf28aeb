using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Tests.Templates;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>Conversations with a model that speaks harmony, in a vocabulary that has its tokens.</summary>
public sealed class HarmonyChatTests
{
    // Begins and ends, as the fake vocabulary has them, are those of gpt-oss; then come the others.
    private static readonly string[] Specials =
        ["<|startoftext|>", "<|return|>", "<|start|>", "<|call|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>"];

    private static readonly AIFunction Weather = AIFunctionFactory.Create((string city) => $"sunny in {city}", "weather", "Tells the weather of a city.");

    private static readonly AIFunction Clock = AIFunctionFactory.Create(() => "noon", "clock", "Tells the time of day.");

    private static readonly ChatResponseFormat Rain = ChatResponseFormat.ForJsonSchema(
        JsonDocument.Parse("""{"type":"object","properties":{"rain":{"type":"boolean"}},"required":["rain"],"additionalProperties":false}""").RootElement);

    [Fact]
    public async Task Reasoning_a_preamble_and_the_answer_come_apart_as_they_are_written()
    {
        await using var model = Saying(_ =>
            "<|channel|>analysis<|message|>Hm, <\\|end|> is text.<|end|><|start|>assistant<|channel|>commentary<|message|>Wait.\n<|end|><|start|>assistant<|channel|>final<|message|>It <\\|channel|>analysis<\\|message|> rains.<|return|>");
        var updates = await model.Chat.GetStreamingResponseAsync("x").ToListAsync();

        Assert.Equal("Hm, <|end|> is text.", string.Concat(updates.SelectMany(u => u.Contents).OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.Equal("Wait.\nIt <|channel|>analysis<|message|> rains.", string.Concat(updates.Select(u => u.Text)));
        Assert.True(updates.Count(u => u.Text.Length > 0) > 5, "The answer did not come in pieces.");
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        Assert.Equal(FakeTokenizer.End, ModelCall.From(updates[^1])!.TokenIds[^1]);
    }

    [Fact]
    public async Task The_tokens_of_the_final_message_are_kept_for_the_next_turn()
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>It rains.<|return|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 0 });
        Assert.Equal("It rains."u8.ToArray().Select(b => (int)b), ModelCall.From(response)!.AnswerTokenIds);

        await using var two = Saying(_ => "<|channel|>commentary<|message|>So.<|end|><|start|>assistant<|channel|>final<|message|>It rains.<|return|>");
        Assert.Null(ModelCall.From(await two.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 0 }))!.AnswerTokenIds);
    }

    [Fact]
    public async Task A_call_after_reasoning_is_held_to_the_tool_and_ends_the_answer()
    {
        // What the model wants to say of the arguments is nonsense; from there on it may only write a call.
        await using var model = Saying(_ =>
            "<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.nonsense <|message|>?<|call|>");
        var updates = await model.Chat.GetStreamingResponseAsync("x", new ChatOptions { Tools = [Weather], Temperature = 0, MaxOutputTokens = 300 }).ToListAsync();

        var call = Assert.Single(updates.SelectMany(u => u.Contents).OfType<FunctionCallContent>());
        Assert.Equal("weather", call.Name);
        Assert.Equal(JsonValueKind.String, ((JsonElement)call.Arguments!["city"]!).ValueKind);
        Assert.Equal("Look.", string.Concat(updates.SelectMany(u => u.Contents).OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.Equal("", string.Concat(updates.Select(u => u.Text)));
        Assert.Equal(ChatFinishReason.ToolCalls, updates[^1].FinishReason);
        Assert.Equal(FakeTokenizer.MessageEnd, ModelCall.From(updates[^1])!.TokenIds[^1]);
    }

    [Fact]
    public async Task The_text_of_a_call_is_no_call()
    {
        const string Text = "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\":\"Bern\"}<|call|>";
        await using var model = Saying(_ => "<|channel|>final<|message|>" + Text.Replace("<|", "<\\|", StringComparison.Ordinal) + "<|return|>");
        var response = await model.Chat.GetResponseAsync($"Say {Text}", new ChatOptions { Tools = [Weather], Temperature = 0 });

        Assert.Equal(Text, response.Text);
        Assert.Empty(response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>());
    }

    [Fact]
    public async Task No_tool_is_called_where_none_may_be()
    {
        await using var model = Saying(_ => "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\":\"Bern\"}<|call|>");
        var response = await model.Chat.GetResponseAsync(
            "x", new ChatOptions { Tools = [Weather], ToolMode = ChatToolMode.None, Temperature = 0, MaxOutputTokens = 40 });

        Assert.Empty(response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>());
    }

    [Fact]
    public async Task A_tool_loop_keeps_the_reasoning_up_to_the_answer()
    {
        string? second = null;
        await using var model = Saying(prompt =>
        {
            if (!prompt.Contains("to=assistant", StringComparison.Ordinal))
            {
                return "<|channel|>analysis<|message|>I must look.<|end|><|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\":\"Bern\"}<|call|>";
            }

            second = prompt;
            return "<|channel|>final<|message|>It is sunny.<|return|>";
        });
        using var client = new ChatClientBuilder(model.Chat).UseFunctionInvocation().Build();
        var response = await client.GetResponseAsync("Weather in Bern?", new ChatOptions { Tools = [Weather], Temperature = 0 });

        Assert.Equal("It is sunny.", response.Text);
        Assert.EndsWith(
            "<|start|>assistant<|channel|>analysis<|message|>I must look.<|end|>"
            + "<|start|>assistant to=functions.weather<|channel|>commentary json<|message|>{\"city\": \"Bern\"}<|call|>"
            + "<|start|>functions.weather to=assistant<|channel|>commentary<|message|>\"sunny in Bern\"<|end|><|start|>assistant",
            second,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_required_call_follows_from_the_reasoning_before_it()
    {
        // Of several functions the one that the reasoning leads to is called, not one that was chosen before.
        await using var model = Saying(_ =>
            "<|channel|>analysis<|message|>Noon <\\|end|> matters.<|end|><|start|>assistant<|channel|>commentary to=functions.clock <|constrain|>json<|message|>{}<|call|>");
        var updates = await model.Chat.GetStreamingResponseAsync(
            "Weather in Bern?", new ChatOptions { Tools = [Weather, Clock], ToolMode = ChatToolMode.RequireAny, Temperature = 0 }).ToListAsync();

        Assert.Equal("clock", Assert.Single(updates.SelectMany(u => u.Contents).OfType<FunctionCallContent>()).Name);
        Assert.Equal("Noon <|end|> matters.", string.Concat(updates.SelectMany(u => u.Contents).OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.True(updates.Count > 5, "The reasoning did not come in pieces.");
        Assert.Equal("", string.Concat(updates.Select(u => u.Text)));
        Assert.Equal(ChatFinishReason.ToolCalls, updates[^1].FinishReason);
        var call = ModelCall.From(updates[^1])!;
        Assert.True(call.ComputedTokens >= call.PromptTokens, $"{call.ComputedTokens} of {call.PromptTokens} tokens of the prompt and the answer were counted.");
        Assert.Equal(FakeTokenizer.MessageEnd, call.TokenIds[^1]);
        Assert.Single(call.TokenIds, t => t == FakeTokenizer.MessageEnd || t == FakeTokenizer.End);
    }

    [Fact]
    public async Task A_text_of_a_given_form_follows_the_reasoning_and_is_kept_for_the_next_turn()
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{\"rain\":true}<|return|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { ResponseFormat = Rain, Temperature = 0 });

        Assert.Equal("{\"rain\":true}", response.Text);
        Assert.Equal("Hm.", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.Equal("{\"rain\":true}"u8.ToArray(), ModelCall.From(response)!.AnswerTokenIds!.SelectMany(t => model.Engine.Tokenizer.GetBytes(t).ToArray()));
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Theory]
    [InlineData(100, 40, 40)]
    [InlineData(100, 512, 50)]
    [InlineData(400, 60, 60)]
    public async Task Reasoning_without_end_is_cut_and_the_answer_still_comes(int most, int mostReasoning, int bound)
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>" + new string('m', 1000), mostReasoning);
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { ResponseFormat = Rain, Temperature = 0, MaxOutputTokens = most });

        Assert.Contains(response.Text, new[] { "{\"rain\":true}", "{\"rain\":false}" });
        var reasoning = string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text));
        Assert.InRange(reasoning.Length, bound / 2, bound);
        Assert.True(reasoning.All(letter => letter == 'm'));
        Assert.InRange(ModelCall.From(response)!.TokenIds.Count, 1, most);
    }

    [Theory]
    [InlineData(ReasoningEffort.None, 512)]
    [InlineData(null, 0)]
    public async Task Where_nothing_is_to_be_reasoned_the_answer_comes_at_once(ReasoningEffort? effort, int mostReasoning)
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>Hm.<|end|>", mostReasoning);
        var form = await model.Chat.GetResponseAsync(
            "x", new ChatOptions { ResponseFormat = Rain, Temperature = 0, Reasoning = new ReasoningOptions { Effort = effort } });
        var call = await model.Chat.GetResponseAsync(
            "x", new ChatOptions { Tools = [Weather], ToolMode = ChatToolMode.RequireAny, Temperature = 0, MaxOutputTokens = 300, Reasoning = new ReasoningOptions { Effort = effort } });

        Assert.Contains("rain", form.Text, StringComparison.Ordinal);
        Assert.Single(call.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.DoesNotContain(form.Messages.Concat(call.Messages).SelectMany(m => m.Contents), c => c is TextReasoningContent);
    }

    [Theory]
    [InlineData(ReasoningEffort.Low, "Reasoning: low")]
    [InlineData(ReasoningEffort.ExtraHigh, "Reasoning: high")]
    [InlineData(ReasoningEffort.None, "Reasoning: medium")]
    [InlineData(null, "Reasoning: medium")]
    public async Task The_template_is_told_how_much_to_reason(ReasoningEffort? effort, string expected)
    {
        string? seen = null;
        await using var model = Saying(prompt =>
        {
            seen = prompt;
            return "<|channel|>final<|message|>ok<|return|>";
        });
        await model.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 0, Reasoning = new ReasoningOptions { Effort = effort } });

        Assert.Contains(expected, seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_calls_of_a_message_are_laid_out_one_by_one_each_with_its_result()
    {
        string? seen = null;
        await using var model = Saying(prompt =>
        {
            seen = prompt;
            return "<|channel|>final<|message|>ok<|return|>";
        });
        await model.Chat.GetResponseAsync(
            [
                new(ChatRole.User, "q"),
                new(ChatRole.Assistant, [Call("a", "Bern"), Call("b", "Basel")]),
                new(ChatRole.Tool, [new FunctionResultContent("b", "rain"), new FunctionResultContent("a", "sun <|end|>")]),
            ],
            new ChatOptions { Tools = [Weather], Temperature = 0 });

        Assert.EndsWith(
            "{\"city\": \"Bern\"}<|call|><|start|>functions.weather to=assistant<|channel|>commentary<|message|>\"sun <|end|>\"<|end|>"
            + "<|start|>assistant to=functions.weather<|channel|>commentary json<|message|>{\"city\": \"Basel\"}<|call|><|start|>functions.weather to=assistant<|channel|>commentary<|message|>\"rain\"<|end|><|start|>assistant",
            seen,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_runs_out_of_tokens_while_it_reasons_says_so()
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>" + new string('m', 200));
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { MaxOutputTokens = 50, Temperature = 0 });

        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal("", response.Text);
    }

    [Fact]
    public async Task A_stop_sequence_ends_the_answer_and_not_the_reasoning()
    {
        await using var model = Saying(_ => "<|channel|>analysis<|message|>one, two<|end|><|start|>assistant<|channel|>final<|message|>three, four<|return|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { StopSequences = [", "], Temperature = 0 });

        Assert.Equal("three", response.Text);
        Assert.Equal("one, two", string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text)));
    }

    private static FunctionCallContent Call(string id, string city) => new(id, "weather", new Dictionary<string, object?> { ["city"] = city });

    private static LoadedModel Saying(Func<string, string> answer, int mostReasoning = 512) => LoadedModel.Create(
        new FakeDriver(new FakeDriverOptions
        {
            ChatTemplate = GoldenTemplateTests.Source("harmony.jinja"),
            Specials = Specials,
            Script = FakeDriverScript.Answers(answer, "<|start|>assistant", Specials),
        }),
        new InferenceOptions { MaxReasoningTokens = mostReasoning },
        TimeProvider.System);
}
