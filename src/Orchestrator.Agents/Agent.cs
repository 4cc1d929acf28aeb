using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;

namespace Orchestrator.Agents;

/// <summary>
/// A member of a team over any chat client. Its tools are functions of its own kernel, and each call goes through the
/// kernel and its filters. All members' prompts list the same tools, the union of the team's; what this one may call
/// is said beside the prompt.
/// </summary>
public sealed class Agent : IAgent
{
    private readonly AgentSettings _settings;
    private readonly IChatClient _client;
    private readonly Dictionary<string, AITool> _own;
    private readonly IReadOnlyList<AITool> _union;

    /// <summary>Creates an agent.</summary>
    /// <param name="card">What the others know of it; its tools are those that it may call.</param>
    /// <param name="client">The model; a run's journal is beneath it already.</param>
    /// <param name="kernel">The kernel with the plugins that it may use and the filters around them.</param>
    /// <param name="settings">How it works.</param>
    public Agent(AgentCard card, IChatClient client, Kernel kernel, AgentSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(card);
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(kernel);
        Card = card;
        Kernel = kernel;
        _client = client;
        _settings = settings ?? new AgentSettings();
        _own = kernel.Plugins
            .SelectMany(p => p)
            .Select(f => (AITool)new KernelTool(f, kernel))
            .Where(t => card.Tools.Contains(t.Name))
            .ToDictionary(t => t.Name, StringComparer.Ordinal);
        if (card.Tools.FirstOrDefault(t => !_own.ContainsKey(t)) is { } missing)
        {
            throw new ArgumentException($"The agent '{card.Name}' has no function '{missing}' in its kernel.", nameof(card));
        }

        _union = [.. _settings.TeamTools.Select(t => _own.GetValueOrDefault(t.Name) ?? t), .. _own.Values
            .Where(t => _settings.TeamTools.All(u => u.Name != t.Name))];
    }

    /// <inheritdoc/>
    public AgentCard Card { get; }

    /// <summary>The agent's kernel.</summary>
    public Kernel Kernel { get; }

    /// <inheritdoc/>
    public async Task<AgentReply> TakeTurnAsync(AgentTurn turn, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(turn);
        IReadOnlyList<string> allowed = turn.MaxToolRounds <= 0 ? []
            : turn.Tools is null ? Card.Tools
            : [.. Card.Tools.Where(turn.Tools.Contains)];
        var request = turn.Request with
        {
            Agent = Card.Name,
            Adapters = _settings.Adapters ?? turn.Request.Adapters,
            AllowedTools = allowed,
        };
        turn = turn with { Notes = await NotesAsync(turn, cancellationToken).ConfigureAwait(false) };
        using var scope = ToolScope.Begin($"{Card.Name}-{turn.Transcript.Count}");
        if (allowed.Count == 0)
        {
            return await AnswerAsync(turn, request, scope, cancellationToken).ConfigureAwait(false);
        }

        return _settings.ToolChoice == ToolChoice.Likelihood && _client.GetService<IChoiceScorer>() is { } scorer
            ? await DecideAndAnswerAsync(turn, request, scorer, scope, cancellationToken).ConfigureAwait(false)
            : await AnswerFreelyAsync(turn, request, scope, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AgentReply> DecideAndAnswerAsync(
        AgentTurn turn, ModelRequest request, IChoiceScorer scorer, ToolScope scope, CancellationToken cancellationToken)
    {
        scope.StopsAfterCalls = true;
        var decision = new ToolDecision(turn, request, [.. request.AllowedTools!.Select(t => _own[t])]);
        for (var round = 0; round < turn.MaxToolRounds; round++)
        {
            var tool = await decision.NextAsync(scorer, scope.Results, cancellationToken).ConfigureAwait(false);
            if (tool is null)
            {
                break;
            }

            var before = scope.Results.Count;
            var options = Options(turn, request with { AllowedTools = [tool] });
            options.ToolMode = ChatToolMode.RequireSpecific(tool);
            await Invoking(turn).GetResponseAsync(Prompt(turn), options, cancellationToken).ConfigureAwait(false);
            ThrowIfFatal(scope);
            if (scope.Results.Count == before)
            {
                // The same call again, or text of a client that can't be made to call; the next time would be no other.
                break;
            }

            var results = scope.Results.Skip(before).ToArray();
            turn = turn with { Transcript = results.Aggregate(turn.Transcript, (t, r) => t.Add(r.ToMessage(Card.Name, turn.MaxToolResultCharacters))) };
        }

        return await AnswerAsync(turn, request, scope, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AgentReply> AnswerFreelyAsync(
        AgentTurn turn, ModelRequest request, ToolScope scope, CancellationToken cancellationToken)
    {
        // A schema and a free choice of tools can't both constrain one answer, so the calls come first.
        if (turn.Schema is null)
        {
            var options = Options(turn, request);
            options.ToolMode = ChatToolMode.Auto;
            var response = await SendAsync(Invoking(turn), turn, Prompt(turn), options, cancellationToken).ConfigureAwait(false);
            ThrowIfFatal(scope);
            if (response.Messages is [.., { Role: var role, Text.Length: > 0 } last] && role == ChatRole.Assistant
                && !last.Contents.OfType<Microsoft.Extensions.AI.FunctionCallContent>().Any())
            {
                return Reply(turn, last.Text, scope.Results.Count == 0 ? response : null, scope);
            }
        }
        else
        {
            var options = Options(turn with { Schema = null }, request);
            options.ToolMode = ChatToolMode.Auto;
            await Invoking(turn).GetResponseAsync(Prompt(turn), options, cancellationToken).ConfigureAwait(false);
            ThrowIfFatal(scope);
        }

        turn = turn with { Transcript = scope.Results.Aggregate(turn.Transcript, (t, r) => t.Add(r.ToMessage(Card.Name, turn.MaxToolResultCharacters))) };
        return await AnswerAsync(turn, request, scope, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AgentReply> AnswerAsync(
        AgentTurn turn, ModelRequest request, ToolScope scope, CancellationToken cancellationToken)
    {
        var options = Options(turn, request with { AllowedTools = [] });
        options.ToolMode = ChatToolMode.None;
        if (turn.Schema is { } schema)
        {
            options.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema);
        }

        var response = await SendAsync(_client, turn, Prompt(turn), options, cancellationToken).ConfigureAwait(false);
        return Reply(turn, response.Text, response, scope);
    }

    private AgentReply Reply(AgentTurn turn, string text, ChatResponse? response, ToolScope scope)
    {
        JsonElement? content = null;
        if (turn.Schema is not null)
        {
            try
            {
                content = JsonElement.Parse(text);
            }
            catch (JsonException e)
            {
                throw new OrchestratorException(
                    ErrorKind.Run,
                    $"The agent '{Card.Name}' was asked for JSON under a schema, and its model gave something else: {e.Message}",
                    "Use a model whose client honours a JSON schema, or give it more tokens per turn.",
                    e);
            }
        }

        // Only the ids of this very text are of use to later prompts.
        var tokens = response is not null && response.Text == text ? ModelCall.From(response)?.AnswerTokenIds : null;
        return new AgentReply(text, content, tokens, scope.Results.Count == 0 ? null : scope.Results);
    }

    private static async Task<ChatResponse> SendAsync(
        IChatClient client, AgentTurn turn, IList<ChatMessage> prompt, ChatOptions options, CancellationToken cancellationToken)
    {
        if (turn.Progress is not { } progress)
        {
            return await client.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
        }

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false))
        {
            updates.Add(update);
            if (update.Text.Length > 0)
            {
                progress.Report(update.Text);
            }
        }

        return updates.ToChatResponse();
    }

    private ChatOptions Options(AgentTurn turn, ModelRequest request)
    {
        var options = request.ApplyTo(null);
        options.MaxOutputTokens = turn.MaxTokens;
        options.Temperature = _settings.Temperature;
        options.Seed = turn.Seed;
        options.Tools = _union.Count == 0 ? null : [.. _union];
        return options;
    }

    private IChatClient Invoking(AgentTurn turn)
    {
        var client = new ChatClientBuilder(_client).UseKernelFunctionInvocation(_settings.LoggerFactory).Build();
        client.GetRequiredService<FunctionInvokingChatClient>().MaximumIterationsPerRequest = turn.MaxToolRounds;
        return client;
    }

    private IList<ChatMessage> Prompt(AgentTurn turn) => turn.Transcript.ToPrompt(Card.Name, turn.Cue, turn.Notes);

    private async Task<string?> NotesAsync(AgentTurn turn, CancellationToken cancellationToken)
    {
        var own = _settings.Notes is { } notes ? await notes(cancellationToken).ConfigureAwait(false) : null;
        return string.IsNullOrEmpty(own) ? turn.Notes : string.IsNullOrEmpty(turn.Notes) ? own : $"{own}\n{turn.Notes}";
    }

    private static void ThrowIfFatal(ToolScope scope)
    {
        if (scope.Fatal is { } fatal)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fatal);
        }
    }
}
