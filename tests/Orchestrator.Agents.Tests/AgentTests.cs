using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Testing.Models;

namespace Orchestrator.Agents.Tests;

public sealed class AgentTests
{
    private static readonly Transcript Talk = Transcript.Begin("Task: find it.").Add(new TeamMessage("user", "Find it."));
    private readonly TestTeam _team = new();

    [Fact]
    public async Task An_answer_comes_with_its_token_ids_and_its_call_names_the_agent()
    {
        var client = ScriptedChatClient.Saying("It is here.");
        var agent = _team.Agent(client, new AgentSettings { Adapters = [new AdapterUse("logs", 0.5f)], Temperature = 0.2f });

        var reply = await agent.TakeTurnAsync(Turn() with { Tools = [], Seed = 7, MaxTokens = 11, Notes = "Psst." });

        Assert.Equal("It is here.", reply.Text);
        Assert.Equal(Encoding.UTF8.GetBytes("It is here.").Select(b => (int)b), reply.TokenIds);
        Assert.Null(reply.ToolResults);
        var (request, options) = (ModelRequest.From(client.Requests[0].Options), client.Requests[0].Options!);
        Assert.Equal(("ada", "run-1"), (request.Agent, request.RunId));
        Assert.Equal([new AdapterUse("logs", 0.5f)], request.Adapters);
        Assert.Empty(request.AllowedTools!);
        Assert.Equal((7L, 11, 0.2f), (options.Seed, options.MaxOutputTokens, options.Temperature));
        Assert.Equal(["kit-look", "kit-count"], options.Tools!.Select(t => t.Name));
        Assert.IsType<NoneChatToolMode>(options.ToolMode);
        Assert.Equal(Talk.ToPrompt("ada", "What is it?", "Psst.")[^1].Text, client.Requests[0].LastText);
    }

    [Fact]
    public async Task By_likelihood_it_calls_the_chosen_tool_shows_the_result_and_answers()
    {
        var scorer = new ScriptedChoiceScorer("kit-look", "answer");
        var client = new ScriptedChatClient(ScriptedAnswer.Calls("kit-look", new { file = "a.log" }), ScriptedAnswer.Says("Hello it says."))
        {
            ChoiceScorer = scorer,
        };

        var reply = await _team.Agent(client).TakeTurnAsync(Turn());

        Assert.Equal("Hello it says.", reply.Text);
        var result = Assert.Single(reply.ToolResults!);
        Assert.Equal(("kit-look", "a.log says hello", false), (result.Tool, result.Result, result.Failed));
        Assert.Equal("""{"file":"a.log"}""", result.Arguments.GetRawText());

        Assert.Equal("What is it?", scorer.Questions[0].Evidence);
        Assert.Equal(["kit-look", "kit-count", "answer"], scorer.Questions[0].Options.Select(o => o.Name));
        Assert.Equal("ada", scorer.Questions[0].Request.Agent);
        Assert.True(scorer.Questions[1].LogPriors![2] > scorer.Questions[1].LogPriors![0]);

        Assert.Equal("kit-look", Assert.IsType<RequiredChatToolMode>(client.Requests[0].Options!.ToolMode).RequiredFunctionName);
        Assert.Equal(["kit-look"], ModelRequest.From(client.Requests[0].Options).AllowedTools);

        // What the caller makes of the reply is what the agent's own prompt was, so its cache holds.
        var after = Talk.Add(result.ToMessage("ada", 800));
        Assert.Equal(after.ToPrompt("ada", "What is it?").Select(m => m.Text), client.Requests[1].Messages.Select(m => m.Text));

        Assert.Collection(
            _team.Journal.Events,
            e => Assert.Equal(("call-0-0", "kit-look", "ada"), (((ToolCalled)e).CallId, ((ToolCalled)e).Tool, e.Agent)),
            e => Assert.Equal(("call-0-0", "a.log says hello", false), (((ToolReturned)e).CallId, ((ToolReturned)e).Result, ((ToolReturned)e).Failed)));
    }

    [Fact]
    public async Task It_stops_calling_when_it_repeats_itself_or_the_rounds_are_used_up()
    {
        var repeating = new ScriptedChatClient(r => r.Options!.ToolMode is NoneChatToolMode
            ? ScriptedAnswer.Says("done")
            : ScriptedAnswer.Calls("kit-look", new { file = "same" }))
        {
            ChoiceScorer = new ScriptedChoiceScorer(_ => "kit-look"),
        };
        var varied = new ScriptedChatClient(r => r.Options!.ToolMode is NoneChatToolMode
            ? ScriptedAnswer.Says("done")
            : ScriptedAnswer.Calls("kit-look", new { file = $"file {r.Index}" }))
        {
            ChoiceScorer = new ScriptedChoiceScorer(_ => "kit-look"),
        };

        Assert.Single((await _team.Agent(repeating).TakeTurnAsync(Turn())).ToolResults!);
        Assert.Single(_team.Journal.Events.OfType<ToolCalled>());
        Assert.Equal(3, (await _team.Agent(varied).TakeTurnAsync(Turn() with { MaxToolRounds = 3 })).ToolResults!.Count);
    }

    [Fact]
    public async Task A_model_without_likelihoods_decides_freely()
    {
        var client = new ScriptedChatClient(
            ScriptedAnswer.CallsAll(("kit-look", new { file = "a" }), ("kit-count", null)), ScriptedAnswer.Says("Both say so."));

        var reply = await _team.Agent(client).TakeTurnAsync(Turn());

        Assert.Equal("Both say so.", reply.Text);
        Assert.Equal([("kit-look", "a says hello"), ("kit-count", "42")], reply.ToolResults!.Select(r => (r.Tool, r.Result)));
        Assert.IsType<AutoChatToolMode>(client.Requests[0].Options!.ToolMode);
    }

    [Fact]
    public async Task Calling_for_ever_ends_after_the_rounds_allowed()
    {
        var client = new ScriptedChatClient(r => r.Options?.ToolMode is NoneChatToolMode || r.Options?.Tools is null or { Count: 0 }
            ? ScriptedAnswer.Says("enough")
            : ScriptedAnswer.Calls("kit-count"));

        var reply = await _team.Agent(client).TakeTurnAsync(Turn() with { MaxToolRounds = 2 });

        Assert.Equal("enough", reply.Text);
        Assert.Equal(2, reply.ToolResults!.Count);
    }

    [Fact]
    public async Task A_tool_of_another_member_is_listed_and_cannot_be_called()
    {
        var others = _team.Kernel().Plugins["kit"]["long"];
        var settings = new AgentSettings { TeamTools = [new KernelTool(others, new Kernel()).AsDeclarationOnly()] };
        var client = new ScriptedChatClient(ScriptedAnswer.Calls("kit-long"), ScriptedAnswer.Says("I may not."));

        var reply = await _team.Agent(client, settings, "kit-count").TakeTurnAsync(Turn());

        Assert.Equal("I may not.", reply.Text);
        Assert.Null(reply.ToolResults);
        Assert.Equal(["kit-long", "kit-count"], client.Requests[0].Options!.Tools!.Select(t => t.Name));
        Assert.Equal(["kit-count"], ModelRequest.From(client.Requests[0].Options).AllowedTools);
        Assert.Empty(_team.Journal.Events);
    }

    [Fact]
    public async Task Under_a_schema_the_answer_is_parsed_and_the_tools_come_first()
    {
        var schema = JsonElement.Parse("""{"type":"object","properties":{"cause":{"type":"string"}}}""");
        var client = new ScriptedChatClient(
            ScriptedAnswer.Calls("kit-count"), ScriptedAnswer.Says("prose"), ScriptedAnswer.Says("""{"cause":"disk"}"""));

        var reply = await _team.Agent(client).TakeTurnAsync(Turn() with { Schema = schema });

        Assert.Equal("disk", reply.Content!.Value.GetProperty("cause").GetString());
        Assert.NotNull(reply.TokenIds);
        Assert.Single(reply.ToolResults!);
        Assert.Null(client.Requests[0].Options!.ResponseFormat);
        Assert.IsType<ChatResponseFormatJson>(client.Requests[^1].Options!.ResponseFormat);
    }

    [Fact]
    public async Task Prose_in_place_of_the_schema_is_a_clear_error()
    {
        var client = ScriptedChatClient.Saying("Sure! Here is your JSON.");
        var turn = Turn() with { Tools = [], Schema = JsonElement.Parse("{}") };

        var error = await Assert.ThrowsAsync<OrchestratorException>(() => _team.Agent(client).TakeTurnAsync(turn));

        Assert.Equal(ErrorKind.Run, error.Kind);
        Assert.Contains("'ada' was asked for JSON", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_hears_the_answer_piece_by_piece()
    {
        var pieces = new List<string>();
        var turn = Turn() with { Tools = [], Progress = new Pieces(pieces) };

        var reply = await _team.Agent(ScriptedChatClient.Saying("one two three")).TakeTurnAsync(turn);

        Assert.Equal(["one ", "two ", "three"], pieces);
        Assert.Equal("one two three", reply.Text);
        Assert.NotNull(reply.TokenIds);
    }

    [Fact]
    public async Task A_user_s_function_filter_runs_exactly_once_for_each_call()
    {
        var client = new ScriptedChatClient(ScriptedAnswer.Calls("kit-count"), ScriptedAnswer.Says("ok"));
        var agent = _team.Agent(client);
        var filter = new CountingFilter();
        agent.Kernel.FunctionInvocationFilters.Add(filter);

        await agent.TakeTurnAsync(Turn());

        Assert.Equal(["count"], filter.Functions);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_ends_the_turn_and_the_tool_is_not_called()
    {
        var full = new OrchestratorException(ErrorKind.Run, "The disk is full.");
        _team.Journal.Fault = e => e is ToolCalled ? full : null;
        var client = new ScriptedChatClient(_ => ScriptedAnswer.Calls("kit-look", new { file = "a" }));

        Assert.Same(full, await Assert.ThrowsAsync<OrchestratorException>(() => _team.Agent(client).TakeTurnAsync(Turn())));
        Assert.Equal(0, _team.Plugin.Calls);
    }

    [Fact]
    public async Task Cancelling_a_turn_ends_it_while_the_model_hangs()
    {
        using var cancellation = new CancellationTokenSource();
        var turn = _team.Agent(new ScriptedChatClient(ScriptedAnswer.Hangs())).TakeTurnAsync(Turn(), cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn);
    }

    [Fact]
    public void A_card_that_promises_a_tool_which_is_not_there_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => _team.Agent(ScriptedChatClient.Saying(), null, "kit-nothing"));

        Assert.Contains("'kit-nothing'", error.Message, StringComparison.Ordinal);
    }

    private static AgentTurn Turn() => new()
    {
        Transcript = Talk,
        Cue = "What is it?",
        Request = new ModelRequest { RunId = "run-1" },
    };

    private sealed class Pieces(List<string> pieces) : IProgress<string>
    {
        public void Report(string value) => pieces.Add(value);
    }

    private sealed class CountingFilter : IFunctionInvocationFilter
    {
        public List<string> Functions { get; } = [];

        public Task OnFunctionInvocationAsync(
            Microsoft.SemanticKernel.FunctionInvocationContext context,
            Func<Microsoft.SemanticKernel.FunctionInvocationContext, Task> next)
        {
            Functions.Add(context.Function.Name);
            return next(context);
        }
    }
}
