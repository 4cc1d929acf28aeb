using System.Threading.Channels;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Sampling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Scheduling;

/// <summary>An answer being generated.</summary>
internal sealed class Generation : Work
{
    private readonly GenerationRequest _request;
    private readonly int _budget;
    private readonly ITokenizer _tokenizer;
    private readonly TokenSampler _sampler;
    private readonly TimeProvider _time;
    private readonly ConstraintGuide? _guide;
    private readonly Dictionary<int, int>? _counts;
    private readonly Channel<GeneratedToken> _answer = Channel.CreateUnbounded<GeneratedToken>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private GeneratedToken? _held;
    private TimeSpan _firstToken;
    private int _computed;
    private int _reused;
    private int _forced;

    /// <summary>Creates the work.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="budget">The most tokens of the answer that fit.</param>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="sampler">The scheduler's sampler.</param>
    /// <param name="guide">Follows the constraint; null for none.</param>
    /// <param name="time">The clock.</param>
    public Generation(
        GenerationRequest request, int budget, ITokenizer tokenizer, TokenSampler sampler, ConstraintGuide? guide, TimeProvider time)
        : base(request.Origin, request.Prompt)
    {
        _request = request;
        _budget = budget;
        _tokenizer = tokenizer;
        _sampler = sampler;
        _guide = guide;
        _time = time;
        var penalised = request.Sampling.FrequencyPenalty != 0 || request.Sampling.PresencePenalty != 0;
        _counts = penalised ? [] : null;
    }

    /// <summary>The answer as it comes.</summary>
    public ChannelReader<GeneratedToken> Answer => _answer.Reader;

    /// <summary>Tokens of the answer so far.</summary>
    public int Generated => Tokens.Count - PromptLength;

    /// <summary>Forced tokens of the answer so far.</summary>
    public int Forced => _forced;

    /// <summary>What is guessed ahead of it; null where nothing is.</summary>
    public Drafting? Drafting { get; set; }

    /// <summary>The most tokens that may be guessed ahead: the one drawn after them must fit too.</summary>
    public int MostDraft => _budget - Generated - 1;

    /// <inheritdoc/>
    public override int NextOutput => Tokens.Count - 1;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Checkpoints => _request.Checkpoints;

    /// <inheritdoc/>
    public override bool IsPromptEnd(int position) => position == PromptLength - 1;

    /// <inheritdoc/>
    public override bool WantsOutput(int position) => position >= Tokens.Count - 1;

    /// <inheritdoc/>
    public override void Begin()
    {
        if (_guide is null)
        {
            return;
        }

        foreach (var token in _guide.Begin(_budget))
        {
            Add(new GeneratedToken(token, float.NaN, Forced: true));
        }

        if (!EndIfForced())
        {
            Flush();
        }
    }

    /// <inheritdoc/>
    public override void Accept(int position, ReadOnlySpan<float> output)
    {
        var mask = _guide is null ? [] : _guide.Mask();
        var sampled = _sampler.Sample(output, _request.Sampling, mask, _counts, Generated);
        var token = new GeneratedToken(sampled.Token, sampled.LogProbability, Alternatives: sampled.Alternatives);
        if (_tokenizer.IsEndOfGeneration(sampled.Token))
        {
            Add(token);
            End(StopReason.EndOfAnswer);
            return;
        }

        if (_guide is null)
        {
            Add(token);
        }
        else
        {
            foreach (var next in _guide.Next(sampled.Token, _budget - Generated))
            {
                Add(next.Forced ? new GeneratedToken(next.Token, float.NaN, Forced: true) : token);
            }

            if (EndIfForced())
            {
                return;
            }
        }

        if (Generated >= _budget)
        {
            End(StopReason.Length);
        }
        else
        {
            Flush();
        }
    }

    /// <inheritdoc/>
    public override void Fail(Exception error)
    {
        Done = true;
        _answer.Writer.TryComplete(error);
    }

    /// <inheritdoc/>
    public override void CountReused(int tokens) => _reused += tokens;

    /// <inheritdoc/>
    public override void CountComputed(int tokens) => _computed += tokens;

    /// <summary>Starts the draft of this step.</summary>
    /// <param name="most">The most tokens.</param>
    public DraftWriter StartDraft(int most)
    {
        Drafting!.Start = Tokens.Count;
        return new DraftWriter(
            Drafting.Draft,
            _tokenizer,
            _request.Sampling,
            _guide?.Fork(),
            _counts is null ? null : new Dictionary<int, int>(_counts),
            Generated,
            _budget,
            Math.Min(most, MostDraft));
    }

    private bool EndIfForced()
    {
        if (_guide is not { MustEnd: true })
        {
            return false;
        }

        // A constraint may ask for the end token itself, where a model has several that say different things.
        var ended = Generated > 0 && _tokenizer.IsEndOfGeneration(Tokens[^1]);
        if (!ended && Generated < _budget)
        {
            Add(new GeneratedToken(_tokenizer.EndOfText, float.NaN, Forced: true));
        }

        End(StopReason.EndOfAnswer);
        return true;
    }

    private void Add(GeneratedToken token)
    {
        if (Generated == 0)
        {
            _firstToken = _time.GetElapsedTime(Arrival);
        }

        // One token is held back until it is known not to be the last, which carries the cost.
        Flush();
        _held = token;
        _forced += token.Forced ? 1 : 0;
        Tokens.Add(token.Token);
        Drafting?.Lookup?.Written(chosen: !token.Forced);
        if (_counts is not null)
        {
            _counts[token.Token] = _counts.GetValueOrDefault(token.Token) + 1;
        }
    }

    private void Flush()
    {
        if (_held is not null)
        {
            _answer.Writer.TryWrite(_held);
            _held = null;
        }
    }

    private void End(StopReason reason)
    {
        Done = true;
        var cost = new GenerationCost(
            PromptLength, _computed, _reused, _forced, Drafting?.Accepted ?? 0, _firstToken, _time.GetElapsedTime(Arrival))
        {
            DraftedTokens = Drafting?.Drafted ?? 0,
        };
        _answer.Writer.TryWrite(_held! with { Stop = reason, Cost = cost });
        _answer.Writer.TryComplete();
    }
}
