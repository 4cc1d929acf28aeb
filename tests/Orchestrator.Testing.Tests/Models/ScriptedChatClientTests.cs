using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Testing.Models;

namespace Orchestrator.Testing.Tests.Models;

public sealed class ScriptedChatClientTests
{
    private static readonly ChatMessage[] Prompt = [new(ChatRole.User, "hello")];

    [Fact]
    public async Task Answers_come_in_the_order_of_the_script()
    {
        var client = ScriptedChatClient.Saying("one", "two");

        Assert.Equal("one", (await client.GetResponseAsync(Prompt)).Text);
        Assert.Equal("two", (await client.GetResponseAsync(Prompt)).Text);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync(Prompt));
        Assert.Contains("2 answers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_response_carries_the_token_ids_of_its_text()
    {
        var response = await ScriptedChatClient.Saying("né").GetResponseAsync(Prompt);

        Assert.Equal([.. Encoding.UTF8.GetBytes("né").Select(b => (int)b), 256], ModelCall.From(response)!.TokenIds);
    }

    [Fact]
    public async Task Streamed_pieces_make_up_the_same_response()
    {
        var response = await ScriptedChatClient.Saying("a bc  d").GetStreamingResponseAsync(Prompt).ToChatResponseAsync();

        Assert.Equal("a bc  d", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(8, ModelCall.From(response)!.TokenIds.Count);
    }

    [Fact]
    public async Task A_tool_call_has_the_arguments_given()
    {
        var client = new ScriptedChatClient(ScriptedAnswer.Calls("files-read", new { path = "a.txt", lines = 3 }));

        var response = await client.GetResponseAsync(Prompt);

        var call = Assert.IsType<FunctionCallContent>(Assert.Single(response.Messages[0].Contents));
        Assert.Equal("files-read", call.Name);
        Assert.Equal("a.txt", call.Arguments!["path"]!.ToString());
        Assert.Equal("3", call.Arguments["lines"]!.ToString());
    }

    [Fact]
    public async Task A_hanging_answer_ends_when_it_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var call = new ScriptedChatClient(ScriptedAnswer.Hangs()).GetResponseAsync(Prompt, null, cancellation.Token);

        Assert.False(call.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_fault_is_thrown()
    {
        var client = new ScriptedChatClient(ScriptedAnswer.Throws(new IOException("gone")));

        await Assert.ThrowsAsync<IOException>(() => client.GetResponseAsync(Prompt));
    }

    [Fact]
    public async Task Babble_is_cut_off_at_the_length_asked_for_and_repeats_by_seed()
    {
        var client = new ScriptedChatClient(_ => ScriptedAnswer.Babbles(seed: 7));

        var first = await client.GetResponseAsync(Prompt, new ChatOptions { MaxOutputTokens = 5 });
        var second = await client.GetResponseAsync(Prompt, new ChatOptions { MaxOutputTokens = 5 });

        Assert.Equal(5, first.Text.Split(' ').Length);
        Assert.Equal(first.Text, second.Text);
        Assert.Equal(ChatFinishReason.Length, first.FinishReason);
    }

    [Fact]
    public async Task A_scripted_scorer_is_found_through_the_client_and_chooses_as_told()
    {
        var client = new ScriptedChatClient([]) { ChoiceScorer = new ScriptedChoiceScorer("b") };

        var result = await client.GetChoiceScorer().ScoreAsync(
            new ChoiceQuestion { Evidence = "?", Options = [new Choice("a"), new Choice("b")] });

        Assert.Equal("b", result.Best.Choice.Name);
        Assert.InRange(result.Best.Probability, 0.99, 1);
    }

    [Fact]
    public void A_client_without_a_scorer_offers_none_and_still_has_metadata()
    {
        IChatClient client = ScriptedChatClient.Saying();

        Assert.Null(client.GetService<IChoiceScorer>());
        Assert.NotNull(client.GetService<ChatClientMetadata>());
    }
}
