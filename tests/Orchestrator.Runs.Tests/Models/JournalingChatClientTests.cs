using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;
using Orchestrator.Testing.Models;

namespace Orchestrator.Runs.Tests.Models;

public sealed class JournalingChatClientTests : IAsyncDisposable
{
    private readonly MemoryRunJournal _journal = new("r1", TimeProvider.System);
    private readonly ChatOptions _options = new ModelRequest { Agent = "ann", Adapters = [new AdapterUse("l")] }.ApplyTo(null);

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task An_answer_is_recorded_with_its_tokens_agent_and_adapters()
    {
        using var client = new JournalingChatClient(ScriptedChatClient.Saying("hello"), _journal);
        await client.GetResponseAsync("hi", _options);
        var call = Assert.IsType<ModelCalled>(Assert.Single(_journal.Events));
        Assert.Equal(("hello", "ann", "stop", "l"), (call.Text, call.Agent, call.FinishReason, Assert.Single(call.Adapters!).Name));
        Assert.Equal(6, call.Call!.TokenIds.Count);
        Assert.Null(call.ToolRequests);
    }

    [Fact]
    public async Task A_streamed_answer_is_recorded_whole()
    {
        using var client = new JournalingChatClient(ScriptedChatClient.Saying("hello to you"), _journal);
        await foreach (var _ in client.GetStreamingResponseAsync("hi", _options))
        {
            Assert.Empty(_journal.Events);
        }

        var call = Assert.IsType<ModelCalled>(Assert.Single(_journal.Events));
        Assert.Equal("hello to you", call.Text);
        Assert.Equal(13, call.Call!.TokenIds.Count);
    }

    [Fact]
    public async Task A_stream_that_the_reader_leaves_is_recorded_up_to_there()
    {
        using var client = new JournalingChatClient(ScriptedChatClient.Saying("hello to you"), _journal);
        await foreach (var _ in client.GetStreamingResponseAsync("hi", _options))
        {
            break;
        }

        var call = Assert.IsType<ModelCalled>(Assert.Single(_journal.Events));
        Assert.StartsWith(call.Text, "hello to you", StringComparison.Ordinal);
        Assert.Equal("interrupted", call.FinishReason);
    }

    [Fact]
    public async Task Requested_tool_calls_are_recorded()
    {
        using var client = new JournalingChatClient(
            new ScriptedChatClient(ScriptedAnswer.Calls("logs-search", new { pattern = "boom" })), _journal);
        await client.GetResponseAsync("hi");
        var request = Assert.Single(Assert.IsType<ModelCalled>(Assert.Single(_journal.Events)).ToolRequests!);
        Assert.Equal(("logs-search", """{"pattern":"boom"}"""), (request.Tool, request.Arguments.GetRawText()));
    }

    [Fact]
    public async Task A_call_that_fails_leaves_no_answer_in_the_record()
    {
        using var client = new JournalingChatClient(
            new ScriptedChatClient(ScriptedAnswer.Throws(new InvalidOperationException("no"))), _journal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync("hi"));
        Assert.Empty(_journal.Events);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_decision_escapes_the_record(bool modelHasScorer)
    {
        using var client = new JournalingChatClient(
            new ScriptedChatClient(ScriptedAnswer.SaysJson(new { choice = "b" }))
            {
                ChoiceScorer = modelHasScorer ? new FirstOption() : null,
            },
            _journal);
        var result = await client.GetChoiceScorer().ScoreAsync(
            new ChoiceQuestion { Evidence = "e", Options = [new("a"), new("b")], Request = new ModelRequest { Agent = "ann" } });
        var choice = Assert.Single(_journal.Events.OfType<ChoiceMade>());
        Assert.Equal(("e", "ann", result.Best), (choice.Evidence, choice.Agent, choice.Scores.MaxBy(s => s.Probability)));
        Assert.Equal(modelHasScorer ? 0 : 1, _journal.Events.OfType<ModelCalled>().Count());
    }

    private sealed class FirstOption : IChoiceScorer
    {
        public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<ChoiceResult>>([.. questions.Select(q =>
                ChoiceQuestions.Normalise(q, [.. q.Options.Select((_, i) => -(double)i)], ChoiceMethod.Channel))]);
    }
}
