using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// Decides between options by likelihood. The channel: log P(evidence | option) (Min et al., "Noisy channel language
/// model prompting", ACL 2022); directly: the mean log P of an option's tokens after the evidence; calibrated: their sum,
/// less most of what it is after texts that say nothing (Zhao et al., "Calibrate before use", ICML 2021; Holtzman et
/// al., "Surface form competition", EMNLP 2021); or by letters.
/// What options share, and what was scored before, is computed once.
/// </summary>
public sealed class ChoiceScorer : IChoiceScorer
{
    /// <summary>What the channel takes off for what an option makes of any request; measured with tools and no tool to choose from.</summary>
    private const double ChannelPart = 0.25;

    /// <summary>The same for the names of options, asked for directly; measured on 48 texts with 77 intents.</summary>
    private const double DirectPart = 0.8;

    /// <summary>
    /// The calibrated names leave to the channel the options that hold this much of their probability together, two at least.
    /// Where they say little, it weighs half of the options, four at least and ten at most: it costs most of a decision. And
    /// how much the names count beside it, measured on 25 more.
    /// </summary>
    private const double ShortlistMass = 0.95;
    private const int ShortestList = 2;
    private const int LongestOfFew = 4;
    private const int LongestOfMany = 10;
    private const double NamesBesideChannel = 0.5;

    private const int QuestionsAtOnce = 64;

    private readonly IInferenceEngine _engine;
    private readonly Func<IReadOnlyList<ChatMessage>, int[]> _renderContext;
    private readonly ChannelWording _channel;
    private readonly DirectWording _direct;
    private readonly NeutralEvidence _neutral;
    private readonly DecisionProfile? _profile;

    /// <summary>Creates the scorer.</summary>
    /// <param name="engine">The model.</param>
    /// <param name="renderContext">
    /// Turns a question's context into token ids, the begin token included; null writes it as plain text.
    /// </param>
    /// <param name="renderOpening">
    /// Turns an instruction into token ids up to where the user's words begin, the begin token included; null where the
    /// model has no chat template.
    /// </param>
    /// <param name="renderAnswer">
    /// Turns a user's message, and a beginning of the answer to it, into token ids, the begin token included; null where
    /// the model has no chat template.
    /// </param>
    /// <param name="profile">What was measured to suit the model; null takes the defaults.</param>
    public ChoiceScorer(
        IInferenceEngine engine,
        Func<IReadOnlyList<ChatMessage>, int[]>? renderContext = null,
        Func<string, int[]>? renderOpening = null,
        Func<string, string, int[]>? renderAnswer = null,
        DecisionProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _engine = engine;
        _renderContext = renderContext ?? Plain;
        _channel = new ChannelWording(engine.Tokenizer, renderOpening, _renderContext);
        _direct = new DirectWording(engine.Tokenizer, renderAnswer);
        _neutral = new NeutralEvidence(engine);
        _profile = profile;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
        IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        foreach (var question in questions)
        {
            ChoiceQuestions.Validate(question);
        }

        // Each question is one request; the engine batches them, and shares what they have in common.
        var results = new List<ChoiceResult>(questions.Count);
        foreach (var part in questions.Chunk(QuestionsAtOnce))
        {
            results.AddRange(await Task.WhenAll(part.Select(q => ScoreOneAsync(q, cancellationToken))).ConfigureAwait(false));
        }

        return results;
    }

    private async Task<ChoiceResult> ScoreOneAsync(ChoiceQuestion question, CancellationToken cancellationToken)
    {
        var method = question.Method == ChoiceMethod.Auto ? Suited(question) : question.Method;
        if (method == ChoiceMethod.Combined)
        {
            return await ScoreCombinedAsync(question, cancellationToken).ConfigureAwait(false);
        }

        return method is ChoiceMethod.Channel or ChoiceMethod.CalibratedChannel
            ? await ScoreChannelAsync(question, method, cancellationToken).ConfigureAwait(false)
            : await ScoreOptionsAsync(question, method, cancellationToken).ConfigureAwait(false);
    }

    private ChoiceMethod Suited(ChoiceQuestion question) => _profile?.MethodFor(question) ?? DefaultFor(question);

    /// <summary>How a question is scored where nothing was measured.</summary>
    internal static ChoiceMethod DefaultFor(ChoiceQuestion question) =>
        !question.Options.All(ChannelWording.Describes) ? ChoiceMethod.Direct
        : WordsChannel(question) ? ChoiceMethod.Channel
        : ChoiceMethod.Combined;

    /// <summary>Whether a question is made for the channel. A request is laid out in turns, which suits every method.</summary>
    internal static bool WordsChannel(ChoiceQuestion question) => question.ChannelTemplate is not null && !question.EvidenceIsRequest;

    /// <summary>How likely the evidence is given each option.</summary>
    private async Task<ChoiceResult> ScoreChannelAsync(
        ChoiceQuestion question, ChoiceMethod method, CancellationToken cancellationToken)
    {
        if (question.Evidence.Length == 0)
        {
            throw new ArgumentException("The channel weighs evidence, and the question has none.", nameof(question));
        }

        var context = question.Context.Count > 0 ? _renderContext(question.Context) : [];
        var prefixes = _channel.Prefixes(question, context);
        var evidence = _channel.Evidence(question, question.Evidence);
        var (biases, computed, reused) = method == ChoiceMethod.CalibratedChannel
            ? await _neutral.ScoreAsync(Sequences, question.Request, cancellationToken).ConfigureAwait(false)
            : (null, 0, 0);
        var result = await _engine.ScoreAsync(
            new ScoreRequest { Sequences = [.. prefixes.Select(p => new ScoreSequence(p, evidence))], Origin = question.Request },
            cancellationToken).ConfigureAwait(false);
        var scores = result.LogProbabilities.Select((values, i) =>
            Sum(values) - (ChannelPart * (biases?[i].PerToken ?? 0) * evidence.Length) + Prior(question, i)).ToArray();
        return ChoiceQuestions.Normalise(
            question, scores, method, result.ComputedTokens + computed, result.ReusedTokens + reused) with
        {
            EvidenceTokens = evidence.Length,
        };

        IReadOnlyList<ScoreSequence> Sequences(string text)
        {
            var tokens = _channel.Evidence(question, text);
            return [.. prefixes.Select(p => new ScoreSequence(p, tokens))];
        }
    }

    /// <summary>Names first, then the channel among the best of them; what was left out stays below, in the order of the names.</summary>
    private async Task<ChoiceResult> ScoreCombinedAsync(ChoiceQuestion question, CancellationToken cancellationToken)
    {
        var names = await ScoreOptionsAsync(question, ChoiceMethod.Calibrated, cancellationToken).ConfigureAwait(false);
        int[] order = [.. Enumerable.Range(0, question.Options.Count).OrderByDescending(i => names.Scores[i].LogLikelihood)];
        var kept = Shortlist(names, order);
        var channel = await ScoreChannelAsync(
            question with { Options = [.. kept.Select(i => question.Options[i])], LogPriors = null }, ChoiceMethod.Channel, cancellationToken).ConfigureAwait(false);
        var scores = names.Scores.Select((s, i) =>
            double.IsFinite(s.LogLikelihood) ? (NamesBesideChannel * (s.LogLikelihood - Prior(question, i))) + Prior(question, i) : s.LogLikelihood).ToArray();
        foreach (var (place, option) in kept.Index())
        {
            scores[option] += channel.Scores[place].LogLikelihood;
        }

        var lowest = kept.Min(i => scores[i]);
        var last = names.Scores[kept[^1]].LogLikelihood;
        foreach (var i in order.Skip(kept.Count))
        {
            scores[i] = double.IsFinite(names.Scores[i].LogLikelihood) ? lowest + names.Scores[i].LogLikelihood - last : double.NegativeInfinity;
        }

        return ChoiceQuestions.Normalise(
            question,
            scores,
            ChoiceMethod.Combined,
            names.ComputedTokens + channel.ComputedTokens,
            names.ReusedTokens + channel.ReusedTokens);
    }

    private static List<int> Shortlist(ChoiceResult names, int[] order)
    {
        var kept = new List<int>();
        var mass = 0d;
        foreach (var i in order.Take(Math.Clamp(order.Length / 2, LongestOfFew, LongestOfMany)))
        {
            if (kept.Count > 0 && (!double.IsFinite(names.Scores[i].LogLikelihood) || (kept.Count >= ShortestList && mass >= ShortlistMass)))
            {
                break;
            }

            kept.Add(i);
            mass += names.Scores[i].Probability;
        }

        return kept;
    }

    /// <summary>How likely each option is after the evidence.</summary>
    private async Task<ChoiceResult> ScoreOptionsAsync(
        ChoiceQuestion question, ChoiceMethod method, CancellationToken cancellationToken)
    {
        var context = question.Context.Count > 0 ? _renderContext(question.Context) : Begin();
        var sequences = method switch
        {
            ChoiceMethod.Direct or ChoiceMethod.Calibrated => Names(question.Evidence),
            ChoiceMethod.Labels => _direct.Labels(question, context),
            _ => throw new ArgumentException($"A model's likelihoods cannot score by the method {method}.", nameof(question)),
        };
        var (biases, computed, reused) = method == ChoiceMethod.Calibrated
            ? await _neutral.ScoreAsync(Names, question.Request, cancellationToken).ConfigureAwait(false)
            : (null, 0, 0);
        var result = await _engine.ScoreAsync(
            new ScoreRequest { Sequences = sequences, Origin = question.Request }, cancellationToken).ConfigureAwait(false);
        var scores = result.LogProbabilities.Select((values, i) => Prior(question, i) + method switch
        {
            ChoiceMethod.Direct => Sum(values) / values.Length,
            ChoiceMethod.Calibrated => Sum(values) - (DirectPart * biases![i].LogProbability),
            _ => Sum(values),
        }).ToArray();
        return ChoiceQuestions.Normalise(
            question, scores, method, result.ComputedTokens + computed, result.ReusedTokens + reused);

        IReadOnlyList<ScoreSequence> Names(string evidence) =>
            _direct.Names(question, context, evidence, whole: method == ChoiceMethod.Calibrated);
    }

    private int[] Begin() => _engine.Tokenizer.BeginOfText is { } begin ? [begin] : [];

    private int[] Plain(IReadOnlyList<ChatMessage> messages) =>
        [.. Begin(), .. _engine.Tokenizer.Tokenize(string.Concat(messages.Select(m => m.Text + "\n\n")), parseSpecial: false)];

    private static double Prior(ChoiceQuestion question, int option) => question.LogPriors?[option] ?? 0;

    private static double Sum(float[] values) => values.Sum(v => (double)v);
}
