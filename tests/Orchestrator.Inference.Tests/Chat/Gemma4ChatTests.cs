using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>Conversations with a model that writes as Gemma 4 does, in a vocabulary that has its tokens.</summary>
public sealed class Gemma4ChatTests
{
    private const string Header = "<|turn>model\n<|channel>thought\n<channel|>";
    private static readonly ControlTokenFamily Family = ControlTokenFamily.All["gemma4"];

    // What ends an answer is the turn's end, and what begins a result.
    private static readonly string[] Specials =
        ["<bos>", "<turn|>", "<|turn>", "<|tool_response>", .. Family.Tokens.Except(["<turn|>", "<|turn>", "<|tool_response>"])];

    private static readonly AIFunction Note = AIFunctionFactory.Create((string text, int? count = null) => new { saved = text, count }, "note", "Keeps a text.");

    [Fact]
    public async Task Calls_one_after_another_are_read_with_texts_as_they_are()
    {
        await using var model = Saying(_ => "I keep it.<|tool_call>call:note{text:<|\"|>a \"b\"\n{c},}<\\|\"|><|\"|>,count:3}<tool_call|><|tool_call>call:note{text:<|\"|><|\"|>}<tool_call|><|tool_response>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0, AllowMultipleToolCalls = true });

        var calls = response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().ToArray();
        Assert.Equal("I keep it.", response.Text);
        Assert.Equal(2, calls.Length);
        Assert.Equal("a \"b\"\n{c},}<|\"|>", ((JsonElement)calls[0].Arguments!["text"]!).GetString());
        Assert.Equal(3, ((JsonElement)calls[0].Arguments!["count"]!).GetInt32());
        Assert.Equal("", ((JsonElement)calls[1].Arguments!["text"]!).GetString());
    }

    [Fact]
    public async Task A_call_that_the_model_begins_is_held_to_the_tool()
    {
        await using var model = Saying(_ => "<|tool_call>nonsense");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0, MaxOutputTokens = 300 });

        Assert.Equal("note", Assert.Single(response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>()).Name);
    }

    [Fact]
    public async Task The_text_of_a_call_is_no_call()
    {
        await using var model = Saying(_ => "<\\|tool_call>call:note{text:<\\|\"|>a<\\|\"|>}<\\tool_call|><turn|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Tools = [Note], Temperature = 0 });

        Assert.Equal("<|tool_call>call:note{text:<|\"|>a<|\"|>}<tool_call|>", response.Text);
    }

    [Fact]
    public async Task Reasoning_is_kept_apart()
    {
        await using var model = Saying(_ => "<|channel>thought\nHm.\n<channel|>Yes.<turn|>");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 0 });

        Assert.Equal("Yes.", response.Text);
        Assert.Equal("Hm.\n", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
    }

    [Theory]
    [InlineData(ReasoningEffort.High, true)]
    [InlineData(ReasoningEffort.None, false)]
    [InlineData(null, false)]
    public async Task Thinking_is_switched_on_by_request(ReasoningEffort? effort, bool thinks)
    {
        string? seen = null;
        await using var model = Saying(
            prompt =>
            {
                seen = prompt;
                return thinks ? "<|channel>thought\nHm.<channel|>Yes.<turn|>" : "Yes.<turn|>";
            },
            thinks ? "<|turn>model\n" : Header);
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 0, Reasoning = new ReasoningOptions { Effort = effort } });

        Assert.Equal("Yes.", response.Text);
        Assert.Equal(thinks, seen!.Contains("<|turn>system\n<|think|>\n", StringComparison.Ordinal));
        Assert.Equal(thinks ? "Hm." : "", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
    }

    [Fact]
    public async Task A_required_call_follows_from_the_thinking_that_was_asked_for()
    {
        await using var model = Saying(_ => "<|channel>thought\nKeep it.\n<channel|><|tool_call>call:note{text:<|\"|>a<|\"|>}<tool_call|>", "<|turn>model\n");
        var response = await model.Chat.GetResponseAsync("x", new ChatOptions
        {
            Tools = [Note],
            ToolMode = ChatToolMode.RequireAny,
            Temperature = 0,
            Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Medium },
        });

        Assert.Equal("a", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Arguments!["text"]!.ToString());
        Assert.Equal("Keep it.\n", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
    }

    [Fact]
    public async Task A_tool_loop_goes_on_in_the_turn_of_the_call()
    {
        string? second = null;
        await using var model = Saying(
            prompt =>
            {
                second = prompt;
                return prompt.EndsWith("<tool_response|>", StringComparison.Ordinal)
                    ? "Done.<turn|>"
                    : "<|tool_call>call:note{text:<|\"|>a<turn\\|>\"<|\"|>}<tool_call|>";
            },
            Header,
            "<tool_response|>");
        using var client = new ChatClientBuilder(model.Chat).UseFunctionInvocation().Build();
        var response = await client.GetResponseAsync("Keep it.", new ChatOptions { Tools = [Note], Temperature = 0 });

        Assert.Equal("Done.", response.Text);
        Assert.EndsWith(
            "<|turn>model\n<|tool_call>call:note{text:<|\"|>a<turn|>\"<|\"|>}<tool_call|><|tool_response>response:note{saved:<|\"|>a<turn|>\"<|\"|>}<tool_response|>",
            second,
            StringComparison.Ordinal);
    }

    private static LoadedModel Saying(Func<string, string> answer, params string[] headers)
    {
        string[] all = headers.Length == 0 ? [Header] : headers;
        var scripts = all.Select(header => FakeDriverScript.Answers(answer, header, Specials)).ToArray();
        return LoadedModel.Create(
            new FakeDriver(new FakeDriverOptions
            {
                ChatTemplate = Family.Template,
                Specials = Specials,
                Script = tokens => scripts.Select(script => script(tokens)).FirstOrDefault(token => token is not null),
            }),
            new InferenceOptions(),
            TimeProvider.System);
    }
}
