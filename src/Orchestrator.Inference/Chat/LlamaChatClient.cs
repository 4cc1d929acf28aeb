using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// One local model as an <see cref="IChatClient"/>. Answers are laid out by the model's own template, a JSON schema in
/// <see cref="ChatOptions.ResponseFormat"/> is honoured by constrained decoding, and tool calls can't be malformed.
/// Where the model reasons, as <see cref="ChatOptions.Reasoning"/> asks, it does so before either, within bounds.
/// Any number of calls may run at once; they share the model's context.
/// </summary>
/// <remarks>
/// <see cref="GetService"/> gives the <see cref="IChoiceScorer"/>, the <see cref="ITextScorer"/>, the <see cref="IInferenceEngine"/>, the
/// <see cref="ITokenizer"/>, the <see cref="IModelStatistics"/>, the <see cref="IModelAdapters"/> and the
/// <see cref="ChatClientMetadata"/>. A <see cref="ModelRequest"/> on the options says who
/// asks; a <see cref="ModelCall"/> on the response, or on the last update, says what came of it.
/// </remarks>
public sealed class LlamaChatClient : IChatClient
{
    private readonly IInferenceEngine _engine;
    private readonly IConstraintCompiler _constraints;
    private readonly ChatPromptRenderer _renderer;
    private readonly IToolCallFormat _toolCalls;
    private readonly IChoiceScorer? _scorer;
    private readonly ReasoningFormat? _reasoning;
    private readonly AnswerMarkers _markers;
    private readonly SpecialTextSet _specials;
    private readonly TextSplitter _splitter;
    private readonly TextScorer _texts;
    private readonly PromptTokenizer _prompts;
    private readonly PromptCheckpoints? _checkpoints;
    private readonly ArgumentReader _arguments;
    private readonly ChatClientMetadata _metadata;
    private readonly InferenceOptions _options;
    private readonly TimeProvider _time;
    private readonly EngineFigures _figures;
    private readonly IModelAdapters? _adapters;
    private long _unseededCalls;

    /// <summary>Creates a client over a loaded model. The engine stays the caller's.</summary>
    /// <param name="engine">The engine that serves the model.</param>
    /// <param name="constraints">Compiles constraints for the model's vocabulary.</param>
    /// <param name="renderer">Lays out messages by the model's template.</param>
    /// <param name="toolCalls">How the model writes tool calls.</param>
    /// <param name="scorer">Chooses between several required tools; null leaves the choice to generation.</param>
    /// <param name="options">Defaults of calls.</param>
    /// <param name="time">The clock of responses.</param>
    /// <param name="reasoning">How the model sets its reasoning apart; null where it doesn't reason.</param>
    /// <param name="adapters">The adapters that there are for it; null where none can be named.</param>
    public LlamaChatClient(
        IInferenceEngine engine,
        IConstraintCompiler constraints,
        ChatPromptRenderer renderer,
        IToolCallFormat toolCalls,
        IChoiceScorer? scorer,
        InferenceOptions options,
        TimeProvider time,
        ReasoningFormat? reasoning = null,
        IModelAdapters? adapters = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _engine = engine;
        _constraints = constraints;
        _renderer = renderer;
        _toolCalls = toolCalls;
        _scorer = scorer;
        _reasoning = reasoning;
        _options = options;
        _time = time;
        _figures = new EngineFigures(engine);
        _adapters = adapters;
        _texts = new TextScorer(engine);
        _markers = new AnswerMarkers(engine.Tokenizer, toolCalls.Markers.Concat(reasoning?.Tokens ?? []));
        _specials = new SpecialTextSet(engine.Tokenizer.SpecialTexts);
        _splitter = new TextSplitter(engine.Tokenizer);
        _prompts = new PromptTokenizer(engine.Tokenizer);
        _checkpoints = engine.Model.CanCut ? null : new PromptCheckpoints(renderer, _prompts);
        _arguments = new ArgumentReader(engine, toolCalls);
        _metadata = new ChatClientMetadata("orchestrator", null, engine.Model.Name);
    }

    /// <inheritdoc/>
    /// <exception cref="Orchestrator.Core.OrchestratorException">
    /// The prompt does not fit the context, a schema asks for what can't be enforced, or the queue is full.
    /// </exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = await GetStreamingResponseAsync(messages, options, cancellationToken)
            .ToChatResponseAsync(cancellationToken).ConfigureAwait(false);
        if (ModelCall.From(response)?.AnswerTokenIds is { } ids && response.Messages is [.., var answer])
        {
            ModelCall.SetTokenIds(answer, ids);
        }

        return response;
    }

    /// <inheritdoc/>
    /// <exception cref="Orchestrator.Core.OrchestratorException">
    /// The prompt does not fit the context, a schema asks for what can't be enforced, or the queue is full.
    /// </exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var plan = await PlanAsync(messages, options, cancellationToken).ConfigureAwait(false);
        var answer = new AnswerReader(_engine.Tokenizer, _markers, options?.StopSequences ?? [], plan, _reasoning);
        var started = _time.GetTimestamp();
        var cost = default(GenerationCost);
        var request = plan.Request;
        var reasons = plan.Reasoning is not null;
        while (true)
        {
            var stop = StopReason.EndOfAnswer;
            await foreach (var token in _engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
            {
                // What ends the generation of reasoning is no part of the answer.
                foreach (var content in reasons && answer.HasReasoned ? [] : answer.Read(token))
                {
                    yield return Update(content, plan);
                }

                stop = token.Stop ?? stop;
                cost = Sum(cost, token.Cost);
                if (answer.Ended)
                {
                    break;
                }
            }

            if (reasons)
            {
                reasons = false;
                request = plan.Answer(answer.EndReasoning(plan));
                continue;
            }

            if (answer.Triggered && !answer.InCall)
            {
                // The model begins a tool call: what it wrote so far is kept, and the rest is constrained to a call, if
                // there are tokens left for the shortest one.
                var left = plan.Request.MaxTokens - answer.Tokens.Count;
                if (_splitter.Split(plan.CallConstraint!.Start().ShortestCompletion().Span).Count + plan.Trigger!.TokenIds.Length < left)
                {
                    request = plan.Call(answer.BeginCall(), plan.Request.MaxTokens - answer.Tokens.Count);
                    continue;
                }

                stop = StopReason.Length;
            }

            foreach (var content in answer.Finish(_toolCalls, plan.Tools, plan.CallIdPrefix))
            {
                yield return Update(content, plan);
            }

            yield return Last(plan, answer, stop, cost, _time.GetElapsedTime(started));
            yield break;
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
        {
            return null;
        }

        return new object?[] { this, _metadata, _scorer, _texts, _engine, _engine.Tokenizer, _constraints, _figures, _adapters }
            .FirstOrDefault(service => serviceType.IsInstanceOfType(service));
    }

    /// <summary>Does nothing: the engine is the caller's.</summary>
    public void Dispose()
    {
    }

    private async Task<ChatCallPlan> PlanAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        var origin = ModelRequest.From(options);
        var conversation = messages.ToList();
        if (options?.Instructions is { Length: > 0 } instructions)
        {
            conversation.Insert(0, new ChatMessage(ChatRole.System, instructions));
        }

        var tools = options?.Tools?.OfType<AIFunctionDeclaration>().ToArray() ?? [];
        var allowed = tools.Where(t => origin.AllowedTools?.Contains(t.Name) ?? true).ToArray();
        var mode = options?.ToolMode ?? ChatToolMode.Auto;
        if (mode is RequiredChatToolMode { RequiredFunctionName: { } name })
        {
            allowed = [.. allowed.Where(t => t.Name == name)];
            if (allowed.Length == 0)
            {
                throw new ArgumentException($"The required tool '{name}' is not among the tools allowed in this call.", nameof(options));
            }
        }

        // A text of a given form leaves no room for calls.
        var response = Response(options?.ResponseFormat);
        if (mode is NoneChatToolMode || response is not null)
        {
            allowed = [];
        }

        var begun = origin.AnswerPrefix is { Length: > 0 } prefix ? prefix : null;
        var effort = options?.Reasoning?.Effort;
        var segments = _renderer.Render(conversation, tools, begun, effort);
        var prompt = _prompts.Tokenize(segments);
        var within = begun is null && segments is [.., var last] && _reasoning?.IsBegunBy(last.Text) == true;
        var isRequiredCall = mode is RequiredChatToolMode && allowed.Length > 0;
        var hasForm = isRequiredCall || response is not null;
        var reasons = begun is null && hasForm && Reasons(effort, within);
        if (within && !reasons && hasForm)
        {
            // What is demanded at once does not stand within reasoning.
            prompt = [.. prompt, .. Tokens(_reasoning!.Close + _reasoning.Behind)];
            within = false;
        }

        // Whoever reasons finds out by that which tool to call.
        if (isRequiredCall && allowed.Length > 1 && !reasons)
        {
            allowed = await ChooseToolAsync(conversation, allowed, origin, cancellationToken).ConfigureAwait(false);
        }

        var frame = begun is null ? _toolCalls.Frame(response, allowed, JsonConstraintOptions.Generation) : null;
        var room = _engine.Model.ContextSize - prompt.Length;
        var request = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = Math.Max(1, Math.Min(options?.MaxOutputTokens ?? _options.MaxOutputTokens, Math.Max(1, room))),
            Sampling = Sampling(options, origin),
            Constraint = (frame ?? response) is { } shape ? _constraints.Compile(shape) : null,
            Checkpoints = _checkpoints?.Find(conversation, tools, effort, prompt) ?? [],
            Origin = origin,
        };
        if (allowed.Length == 0)
        {
            var answer = new ChatCallPlan(request, null, null, _metadata.DefaultModelId!) { IsFramed = frame is not null, IsWithinReasoning = within };
            return reasons ? Reasoning(answer, request.Constraint!, []) : answer;
        }

        var trigger = new ToolTrigger(_toolCalls.Trigger, _engine.Tokenizer);
        if (frame is not null && !isRequiredCall)
        {
            return new ChatCallPlan(request, trigger, null, _metadata.DefaultModelId!) { IsFramed = true, Tools = allowed };
        }

        var parallel = options?.AllowMultipleToolCalls == true;
        var call = _constraints.Compile(_toolCalls.Constrain(allowed, parallel, JsonConstraintOptions.Generation));
        if (isRequiredCall && allowed is [var tool] && !parallel && !reasons)
        {
            call = await ReadArgumentsAsync(conversation, tool, [.. prompt, .. trigger.TokenIds], call, origin, cancellationToken).ConfigureAwait(false);
        }

        var plan = new ChatCallPlan(request, trigger, call, _metadata.DefaultModelId!) { Tools = allowed, IsRequiredCall = isRequiredCall, IsWithinReasoning = within };
        return !isRequiredCall ? plan
            : reasons ? Reasoning(plan, call, trigger.TokenIds)
            : plan with { Request = plan.Call(trigger.TokenIds, request.MaxTokens) };
    }

    /// <summary>Whether the model reasons before an answer of a given form.</summary>
    private bool Reasons(ReasoningEffort? effort, bool within) =>
        effort is not ReasoningEffort.None
        && _options.MaxReasoningTokens > 0
        && _reasoning is { } format
        && (effort is not null || within || format.IsUsual)
        && Tokens(format.Close) is [var close] && _markers.TextOf(close) is not null;

    /// <summary>Puts reasoning before an answer, as far as there are tokens for both.</summary>
    private ChatCallPlan Reasoning(ChatCallPlan plan, ITokenConstraint then, int[] begun)
    {
        var format = _reasoning!;
        var open = plan.IsWithinReasoning ? "" : format.Open;
        var phase = new ReasoningPhase(Tokens(format.Close), Tokens(format.Behind), then, plan.Request.MaxTokens);
        var frame = Tokens(open).Length + phase.Close.Length + 1;
        var shortest = phase.Behind.Length + begun.Length + _splitter.Split(then.Start().ShortestCompletion().Span).Count + 1;
        var room = Math.Min(Math.Min(_options.MaxReasoningTokens, phase.MaxTokens / 2), phase.MaxTokens - shortest);
        if (room < frame)
        {
            int[] closing = plan.IsWithinReasoning ? [.. phase.Close, .. phase.Behind] : [];
            return plan with { Request = plan.Request with { Prompt = [.. plan.Request.Prompt, .. closing, .. begun], Constraint = then } };
        }

        // A token ends the text, and what is thought spells none.
        var thought = new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Markup(open), new ConstraintDefinition.Regex(@"[\s\S]*"), new ConstraintDefinition.Markup(format.Close));
        return plan with { Request = plan.Request with { Constraint = _constraints.Compile(thought), MaxTokens = room }, Reasoning = phase };
    }

    private int[] Tokens(string markup) => _engine.Tokenizer.Tokenize(markup, parseSpecial: true);

    /// <summary>The call with the arguments that the request holds, or the constraint as it is where it holds not all.</summary>
    private async Task<ITokenConstraint> ReadArgumentsAsync(
        List<ChatMessage> conversation,
        AIFunctionDeclaration tool,
        IReadOnlyList<int> begun,
        ITokenConstraint call,
        ModelRequest origin,
        CancellationToken cancellationToken)
    {
        if (conversation.LastOrDefault() is not { Text: { Length: > 0 } request } last || last.Role != ChatRole.User)
        {
            return call;
        }

        // What the format puts before arguments: it writes a call whose only argument is known.
        const string Known = "\u241E";
        var written = _toolCalls.Write([new("", tool.Name, new Dictionary<string, object?> { [Known] = 0 })]);
        if (written.IndexOf(_toolCalls.BeforeArgument(Known, isFirst: true), StringComparison.Ordinal) is not (>= 0 and var end))
        {
            return call;
        }

        var before = written[_toolCalls.Trigger.Length..end];
        var arguments = await _arguments.ReadAsync(
            [.. begun, .. _engine.Tokenizer.Tokenize(before, parseSpecial: true)],
            tool.JsonSchema,
            request,
            origin,
            cancellationToken).ConfigureAwait(false);
        if (arguments is null)
        {
            return call;
        }

        // Between marks no text is a special token but those that the format is made of.
        written = _toolCalls.Write(
            [new("", tool.Name, arguments)], text => ContentMarks.BreakSpecials(text, _specials));
        var read = _constraints.Compile(new ConstraintDefinition.Sequence(
            [.. written[_toolCalls.Trigger.Length..].Split(ContentMarks.Break).Select(part => new ConstraintDefinition.Markup(part))]));
        var matcher = call.Start();
        return matcher.TryAcceptBytes(read.Start().ShortestCompletion().Span) && matcher.CanEnd ? read : call;
    }

    private async Task<AIFunctionDeclaration[]> ChooseToolAsync(
        List<ChatMessage> conversation, AIFunctionDeclaration[] tools, ModelRequest origin, CancellationToken cancellationToken)
    {
        if (_scorer is null || conversation.LastOrDefault(m => m.Role == ChatRole.User)?.Text is not { Length: > 0 } evidence)
        {
            return tools;
        }

        var result = await _scorer.ScoreAsync(
            ToolQuestions.Which(evidence, [.. tools.Select(t => new Choice(t.Name, t.Description))], origin) with
            {
                LogPriors = ToolClues.LogPriors(evidence, tools),
            },
            cancellationToken).ConfigureAwait(false);
        return [tools.Single(t => t.Name == result.Best.Choice.Name)];
    }

    private SamplingOptions Sampling(ChatOptions? options, ModelRequest origin) => new()
    {
        Temperature = options?.Temperature ?? 0.7f,
        TopP = options?.TopP ?? 1f,
        TopK = options?.TopK ?? 0,
        FrequencyPenalty = options?.FrequencyPenalty ?? 0,
        PresencePenalty = options?.PresencePenalty ?? 0,
        TopLogProbabilities = origin.TopLogProbabilities ?? 0,
        Seed = options?.Seed is { } seed ? unchecked((ulong)seed) : _options.Seed + (ulong)Interlocked.Increment(ref _unseededCalls),
    };

    private static ConstraintDefinition.JsonSchema? Response(ChatResponseFormat? format) => format switch
    {
        ChatResponseFormatJson { Schema: { } schema } => new(schema.GetRawText()),
        ChatResponseFormatJson => new("""{"type":"object"}""", JsonConstraintOptions.Generation with { UndeclaredProperties = true }),
        _ => null,
    };

    private ChatResponseUpdate Update(AIContent content, ChatCallPlan plan) => new(ChatRole.Assistant, [content])
    {
        ModelId = _metadata.DefaultModelId,
        ResponseId = plan.ResponseId,
        MessageId = plan.ResponseId,
        CreatedAt = _time.GetUtcNow(),
    };

    private ChatResponseUpdate Last(
        ChatCallPlan plan, AnswerReader answer, StopReason stop, GenerationCost? cost, TimeSpan duration)
    {
        var call = new ModelCall
        {
            Model = _metadata.DefaultModelId,
            PromptHash = plan.PromptHash,
            TokenIds = answer.Tokens,
            AnswerTokenIds = answer.TextTokenIds,
            LogProbabilities = answer.LogProbabilities,
            Tokens = answer.Details,
            Seed = plan.Request.Sampling.Seed,
            PromptTokens = plan.PromptTokens,
            ComputedTokens = cost?.ComputedTokens ?? 0,
            ReusedTokens = cost?.ReusedTokens ?? 0,
            ForcedTokens = cost?.ForcedTokens ?? 0,
            DraftTokens = cost?.DraftTokens ?? 0,
            FirstToken = cost?.FirstToken ?? duration,
            Duration = duration,
        };
        var usage = new UsageDetails
        {
            InputTokenCount = plan.PromptTokens,
            OutputTokenCount = answer.Tokens.Count,
            TotalTokenCount = plan.PromptTokens + answer.Tokens.Count,
            CachedInputTokenCount = call.ReusedTokens,
        };
        return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(usage)])
        {
            ModelId = _metadata.DefaultModelId,
            ResponseId = plan.ResponseId,
            MessageId = plan.ResponseId,
            CreatedAt = _time.GetUtcNow(),
            FinishReason = answer.HasCalls ? ChatFinishReason.ToolCalls
                : stop == StopReason.Length && !answer.Stopped ? ChatFinishReason.Length
                : ChatFinishReason.Stop,
            AdditionalProperties = call.ApplyTo(null),
        };
    }

    // A call that turns into a tool call is two generations; the second finds the first one's cache, so its prompt
    // counts once.
    private static GenerationCost? Sum(GenerationCost? sum, GenerationCost? next) =>
        next is null ? sum
        : sum is null ? next
        : sum with
        {
            ComputedTokens = sum.ComputedTokens + Math.Max(0, next.ComputedTokens - 1),
            ForcedTokens = sum.ForcedTokens + next.ForcedTokens,
            DraftTokens = sum.DraftTokens + next.DraftTokens,
            Duration = sum.Duration + next.Duration,
        };
}
