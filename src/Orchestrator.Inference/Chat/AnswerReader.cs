using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>Reads an answer token by token: text, stop sequences, and the beginning of a tool call.</summary>
internal sealed class AnswerReader
{
    private readonly ITokenizer _tokenizer;
    private readonly TokenTextDecoder _decoder;
    private readonly ToolTrigger? _trigger;
    private readonly ReasoningReader? _reasoning;
    private readonly StopSequenceFilter _filter;
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbabilities = [];
    private readonly List<TokenDetail>? _details;
    private readonly StringBuilder _raw = new();
    private readonly StringBuilder _call = new();

    public AnswerReader(ITokenizer tokenizer, IList<string> stopSequences, ChatCallPlan plan, ReasoningFormat? reasoning)
    {
        _tokenizer = tokenizer;
        _decoder = new TokenTextDecoder(tokenizer);
        _trigger = plan.Trigger;

        // What a constraint shapes is the answer from its first character on.
        _reasoning = plan.Request.Constraint is null ? reasoning?.Start() : null;
        _details = plan.Request.Origin.TopLogProbabilities is null ? null : [];
        string[] stops = [.. stopSequences.Where(s => s.Length > 0)];
        _filter = new StopSequenceFilter(_trigger is null || plan.StartsInCall ? stops : [.. stops, _trigger.Text]);
        if (plan.StartsInCall)
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
    public bool Triggered => _trigger is not null && _filter.Stopped == _trigger.Text;

    /// <summary>Whether what comes now is a tool call.</summary>
    public bool InCall { get; private set; }

    /// <summary>Whether the text was cut by a stop sequence.</summary>
    public bool Stopped => _filter.Stopped is not null && !Triggered;

    /// <summary>Whether no more tokens are wanted from this generation.</summary>
    public bool Ended => !InCall && _filter.Stopped is not null;

    /// <summary>Whether the answer holds tool calls.</summary>
    public bool HasCalls { get; private set; }

    /// <summary>The ids of the text without the end token, where the text is exactly what they decode to.</summary>
    public IReadOnlyList<int>? TextTokenIds =>
        InCall || _filter.Stopped is not null || _tokens.Count == 0 || _reasoning?.Found == true ? null
        : _tokenizer.IsEndOfGeneration(_tokens[^1]) ? _tokens[..^1]
        : _tokens;

    /// <summary>Takes a token and gives what can be shown.</summary>
    public IEnumerable<AIContent> Read(GeneratedToken token)
    {
        _tokens.Add(token.Token);
        _logProbabilities.Add(token.LogProbability);
        _details?.Add(Detail(token.Token, token.LogProbability, token.Alternatives ?? []));
        var text = _trigger is not null && _trigger.TokenIds is [var only] && only == token.Token
            ? _trigger.Text
            : _decoder.Append(token.Token);
        if (InCall)
        {
            _call.Append(text);
            yield break;
        }

        _raw.Append(text);
        foreach (var content in Show(_filter.Append(text)))
        {
            yield return content;
        }
    }

    /// <summary>Turns to the tool call that the model began.</summary>
    /// <returns>The answer's tokens up to the call, the trigger's tokens last.</returns>
    public IReadOnlyList<int> BeginCall()
    {
        // The trigger may begin within a token: what stands before it in that token is tokenised again.
        var before = _raw.ToString();
        before = before[..before.IndexOf(_trigger!.Text, StringComparison.Ordinal)];
        var kept = 0;
        var prefix = new TokenTextDecoder(_tokenizer);
        var text = "";
        while (kept < _tokens.Count)
        {
            var next = text + prefix.Append(_tokens[kept]);
            if (next.Length > before.Length)
            {
                break;
            }

            text = next;
            kept++;
        }

        _tokens.RemoveRange(kept, _tokens.Count - kept);
        _logProbabilities.RemoveRange(kept, _logProbabilities.Count - kept);
        _details?.RemoveRange(kept, _details.Count - kept);
        foreach (var token in _tokenizer.Tokenize(before[text.Length..], parseSpecial: false))
        {
            AddForced(token);
        }

        EnterCall(_trigger.TokenIds);
        return _tokens.ToArray();
    }

    /// <summary>What is left to show when no more tokens come.</summary>
    public IEnumerable<AIContent> Finish(IToolCallFormat format, string callIdPrefix)
    {
        var rest = InCall ? "" : _filter.Append(_decoder.Flush()) + _filter.Flush();
        foreach (var content in Show(rest).Concat(_reasoning?.Flush() ?? []))
        {
            yield return content;
        }

        if (!InCall)
        {
            yield break;
        }

        var (text, calls) = format.Parse(_call.ToString());
        HasCalls = calls.Count > 0;
        if (text.Length > 0)
        {
            yield return new TextContent(text);
        }

        foreach (var (index, call) in calls.Index())
        {
            yield return new FunctionCallContent($"{callIdPrefix}{index}", call.Name, call.Arguments);
        }
    }

    private IReadOnlyList<AIContent> Show(string text) =>
        text.Length == 0 ? [] : _reasoning?.Append(text) ?? [new TextContent(text)];

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
