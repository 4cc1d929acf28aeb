using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Reads an answer token by token: reasoning, text up to a stop sequence, and the beginning of a tool call. Stop
/// sequences are looked for in what is shown, not in reasoning.
/// </summary>
internal sealed class AnswerReader
{
    private readonly ITokenizer _tokenizer;
    private readonly AnswerMarkers _markers;
    private readonly TokenTextDecoder _decoder;
    private readonly ToolTrigger? _trigger;
    private readonly bool _isFramed;
    private readonly ReasoningReader? _reasoning;
    private readonly StopSequenceFilter _beforeCall;
    private readonly StopSequenceFilter _stops;
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbabilities = [];
    private readonly List<TokenDetail>? _details;
    private readonly StringBuilder _raw = new();
    private readonly StringBuilder _call = new();
    private bool _hasText;
    private int _textStart;

    public AnswerReader(
        ITokenizer tokenizer, AnswerMarkers markers, IList<string> stopSequences, ChatCallPlan plan, ReasoningFormat? reasoning)
    {
        _tokenizer = tokenizer;
        _markers = markers;
        _decoder = new TokenTextDecoder(tokenizer, markers);
        _trigger = plan.Trigger;
        _isFramed = plan.IsFramed;

        // What a constraint shapes is the answer from its first character on, unless it shapes the frame or the reasoning too.
        _reasoning = plan.Request.Constraint is null || _isFramed || plan.Reasoning is not null ? reasoning?.Start(plan.IsWithinReasoning) : null;
        _details = plan.Request.Origin.TopLogProbabilities is null ? null : [];
        _stops = new StopSequenceFilter([.. stopSequences.Where(s => s.Length > 0)]);
        _beforeCall = new StopSequenceFilter(_trigger is null || plan.IsRequiredCall ? [] : [_trigger.Text]);
        if (plan is { IsRequiredCall: true, Reasoning: null })
        {
            EnterCall(_trigger!.TokenIds);
        }
    }

    /// <summary>All tokens of the answer, forced and end tokens included.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>One for each token.</summary>
    public IReadOnlyList<float> LogProbabilities => _logProbabilities;

    /// <summary>One for each token, where the request asks for them.</summary>
    public IReadOnlyList<TokenDetail>? Details => _details;

    /// <summary>Whether the model began a tool call.</summary>
    public bool Triggered => _beforeCall.Stopped is not null && !Stopped;

    /// <summary>Whether what comes now is a tool call.</summary>
    public bool InCall { get; private set; }

    /// <summary>Whether the text was cut by a stop sequence.</summary>
    public bool Stopped => _stops.Stopped is not null;

    /// <summary>Whether the model reasoned, and came to an end.</summary>
    public bool HasReasoned => _reasoning?.HasEnded == true;

    /// <summary>Whether no more tokens are wanted from this generation.</summary>
    public bool Ended => !InCall && (Stopped || Triggered);

    /// <summary>Whether the answer holds tool calls.</summary>
    public bool HasCalls { get; private set; }

    /// <summary>The ids of the text without the end token, where the text is exactly what they decode to.</summary>
    public IReadOnlyList<int>? TextTokenIds
    {
        get
        {
            // Behind reasoning the text is what follows the last marker, unless that is no token or cost the text a line break.
            var isWhole = _reasoning?.Found != true
                ? _textStart == 0
                : _hasText && _textStart > 0 && _textStart < _tokens.Count && !_tokenizer.GetBytes(_tokens[_textStart]).StartsWith("\n"u8);
            return InCall || Stopped || Triggered || _tokens.Count == 0 || !isWhole ? null
                : _tokenizer.IsEndOfGeneration(_tokens[^1]) ? _tokens[_textStart..^1]
                : _tokens[_textStart..];
        }
    }

    /// <summary>Takes a token and gives what can be shown.</summary>
    public IEnumerable<AIContent> Read(GeneratedToken token)
    {
        _tokens.Add(token.Token);
        _logProbabilities.Add(token.LogProbability);
        _details?.Add(Detail(token.Token, token.LogProbability, token.Alternatives ?? []));
        var text = _decoder.Append(token.Token);
        if (InCall)
        {
            _call.Append(text);
            yield break;
        }

        _raw.Append(text);
        foreach (var content in Show(_beforeCall.Append(text)))
        {
            yield return content;
        }

        if (_isFramed && Triggered)
        {
            // The constraint goes on with the call by itself.
            InCall = true;
            _call.Append(_raw.ToString()[CallStart..]);
        }

        if (_markers.TextOf(token.Token) is not null && !_tokenizer.IsEndOfGeneration(token.Token))
        {
            // Text on both sides of a marker is not one run of tokens.
            _textStart = _hasText ? -1 : _tokens.Count;
        }
    }

    /// <summary>Turns to what the reasoning led to.</summary>
    /// <returns>The answer's tokens up to there.</returns>
    public IReadOnlyList<int> EndReasoning(ChatCallPlan plan)
    {
        foreach (var token in (int[])[.. HasReasoned ? [] : plan.Reasoning!.Close, .. plan.Reasoning!.Behind])
        {
            AddForced(token);
        }

        _textStart = _tokens.Count;
        if (plan.IsRequiredCall)
        {
            EnterCall(_trigger!.TokenIds);
        }

        return _tokens.ToArray();
    }

    /// <summary>Turns to the tool call that the model began.</summary>
    /// <returns>The answer's tokens up to the call, the trigger's tokens last.</returns>
    public IReadOnlyList<int> BeginCall()
    {
        // The trigger may begin within a token: what stands before it in that token is tokenised again.
        var before = ContentMarks.Strip(_raw.ToString()[..CallStart]);
        var kept = 0;
        var prefix = new TokenTextDecoder(_tokenizer, _markers, marksText: false);
        var length = 0;
        while (kept < _tokens.Count)
        {
            var next = length + prefix.Append(_tokens[kept]).Length;
            if (next > before.Length)
            {
                break;
            }

            length = next;
            kept++;
        }

        _tokens.RemoveRange(kept, _tokens.Count - kept);
        _logProbabilities.RemoveRange(kept, _logProbabilities.Count - kept);
        _details?.RemoveRange(kept, _details.Count - kept);
        foreach (var token in _tokenizer.Tokenize(before[length..], parseSpecial: false))
        {
            AddForced(token);
        }

        EnterCall(_trigger!.TokenIds);
        return _tokens.ToArray();
    }

    /// <summary>What is left to show when no more tokens come.</summary>
    public IEnumerable<AIContent> Finish(IToolCallFormat format, IReadOnlyList<AIFunctionDeclaration> tools, string callIdPrefix)
    {
        var left = _decoder.Flush();
        var rest = InCall ? "" : _beforeCall.Append(left) + _beforeCall.Flush();
        _call.Append(InCall ? left : "");
        foreach (var content in Show(rest).Concat(Show(_reasoning?.Flush() ?? [])))
        {
            yield return content;
        }

        if (_stops.Flush() is { Length: > 0 } held)
        {
            _hasText = true;
            yield return new TextContent(held);
        }

        if (!InCall)
        {
            yield break;
        }

        var (text, calls) = format.Parse(_call.ToString(), tools);
        HasCalls = calls.Count > 0;
        if (_markers.Plain(text) is { Length: > 0 } plain)
        {
            yield return new TextContent(plain);
        }

        foreach (var (index, call) in calls.Index())
        {
            yield return new FunctionCallContent($"{callIdPrefix}{index}", call.Name, call.Arguments);
        }
    }

    /// <summary>Where the call begins in what was written.</summary>
    private int CallStart => _raw.ToString().IndexOf(_trigger!.Text, StringComparison.Ordinal);

    private IEnumerable<AIContent> Show(string text) =>
        text.Length == 0 ? [] : Show(_reasoning?.Append(text) ?? [new TextContent(text)]);

    /// <summary>What of contents can be shown: without marks, and the text only up to a stop sequence.</summary>
    private IEnumerable<AIContent> Show(IEnumerable<AIContent> contents)
    {
        foreach (var content in contents)
        {
            var reasoning = content as TextReasoningContent;
            var text = reasoning is null ? _stops.Append(_markers.Plain(((TextContent)content).Text)) : _stops.Flush();
            if (text.Length > 0)
            {
                _hasText = true;
                yield return new TextContent(text);
            }

            if (reasoning is not null && _markers.Plain(reasoning.Text) is { Length: > 0 } thought && !Stopped)
            {
                yield return new TextReasoningContent(thought);
            }
        }
    }

    private void EnterCall(int[] triggerTokens)
    {
        InCall = true;
        _call.Append(_trigger!.Text);
        foreach (var token in triggerTokens)
        {
            AddForced(token);
        }
    }

    private void AddForced(int token)
    {
        _tokens.Add(token);
        _logProbabilities.Add(float.NaN);
        _details?.Add(Detail(token, float.NaN, []));
    }

    private TokenDetail Detail(int token, float logProbability, IReadOnlyList<(int Token, float LogProbability)> alternatives) =>
        new(_tokenizer.GetBytes(token).ToArray(), logProbability, [.. alternatives.Select(a => Detail(a.Token, a.LogProbability, []))]);
}
