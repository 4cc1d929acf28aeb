using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// Decides between options by likelihood. The channel: log P(evidence | option) (Min et al., "Noisy channel language
/// model prompting", ACL 2022); directly: the mean log P of an option's tokens after the evidence; calibrated: the
/// same, less the score after a content-free text (Zhao et al., "Calibrate before use", ICML 2021); or by letters.
/// What options share, and what was scored before, is computed once.
/// </summary>
public sealed class ChoiceScorer : IChoiceScorer
{
    private const string DefaultCue = "\nTopic: ";
    private const string ContentFree = "N/A";
    private const int Letters = 26;
    private const int QuestionsAtOnce = 64;

    private readonly IInferenceEngine _engine;
    private readonly Func<IReadOnlyList<ChatMessage>, int[]> _renderContext;
    private readonly ChannelWording _channel;
    private readonly NeutralEvidence _neutral;

    /// <summary>Creates the scorer.</summary>
    /// <param name="engine">The model.</param>
    /// <param name="renderContext">
    /// Turns a question's context into token ids, the begin token included; null writes it as plain text.
    /// </param>
    /// <param name="renderOpening">
    /// Turns an instruction into token ids up to where the user's words begin, the begin token included; null where the
    /// model has no chat template.
    /// </param>
    public ChoiceScorer(
        IInferenceEngine engine,
        Func<IReadOnlyList<ChatMessage>, int[]>? renderContext = null,
        Func<string, int[]>? renderOpening = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _engine = engine;
        _renderContext = renderContext ?? Plain;
        _channel = new ChannelWording(engine.Tokenizer, renderOpening);
        _neutral = new NeutralEvidence(engine);
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
        var method = question.Method == ChoiceMethod.Auto
            ? question.Options.All(ChannelWording.Describes) ? ChoiceMethod.Channel : ChoiceMethod.Direct
            : question.Method;
        return method is ChoiceMethod.Channel or ChoiceMethod.CalibratedChannel
            ? await ScoreChannelAsync(question, method, cancellationToken).ConfigureAwait(false)
            : await ScoreOptionsAsync(question, method, cancellationToken).ConfigureAwait(false);
    }

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
        var biases = method == ChoiceMethod.CalibratedChannel
            ? await _neutral.ScoreAsync(
                prefixes, text => _channel.Evidence(question, text), question.Request, cancellationToken).ConfigureAwait(false)
            : (LogProbabilities: new double[prefixes.Length], ComputedTokens: 0, ReusedTokens: 0);
        var result = await _engine.ScoreAsync(
            new ScoreRequest { Sequences = [.. prefixes.Select(p => new ScoreSequence(p, evidence))], Origin = question.Request },
            cancellationToken).ConfigureAwait(false);
        var scores = result.LogProbabilities.Select((values, i) =>
            Sum(values) - (biases.LogProbabilities[i] * evidence.Length) + Prior(question, i)).ToArray();
        return ChoiceQuestions.Normalise(
            question,
            scores,
            method,
            result.ComputedTokens + biases.ComputedTokens,
            result.ReusedTokens + biases.ReusedTokens) with
        {
            EvidenceTokens = evidence.Length,
        };
    }

    /// <summary>How likely each option is after the evidence.</summary>
    private async Task<ChoiceResult> ScoreOptionsAsync(
        ChoiceQuestion question, ChoiceMethod method, CancellationToken cancellationToken)
    {
        var context = question.Context.Count > 0 ? _renderContext(question.Context) : Begin();
        var sequences = method switch
        {
            ChoiceMethod.Direct => Direct(question, context, question.Evidence),
            ChoiceMethod.Calibrated => [.. Direct(question, context, question.Evidence), .. Direct(question, context, ContentFree)],
            ChoiceMethod.Labels => Labels(question, context),
            _ => throw new ArgumentException($"A model's likelihoods cannot score by the method {method}.", nameof(question)),
        };
        var result = await _engine.ScoreAsync(
            new ScoreRequest { Sequences = sequences, Origin = question.Request }, cancellationToken).ConfigureAwait(false);
        var scores = new double[question.Options.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            var values = result.LogProbabilities[i];
            scores[i] = Prior(question, i) + method switch
            {
                ChoiceMethod.Labels => Sum(values),
                ChoiceMethod.Calibrated => Mean(values) - Mean(result.LogProbabilities[scores.Length + i]),
                _ => Mean(values),
            };
        }

        return ChoiceQuestions.Normalise(question, scores, method, result.ComputedTokens, result.ReusedTokens);
    }

    private List<ScoreSequence> Direct(ChoiceQuestion question, int[] context, string evidence)
    {
        var text = evidence + (question.DirectCue ?? DefaultCue);
        return [.. question.Options.Select(option => Join(context, text, ChannelWording.Readable(option.Name)))];
    }

    private List<ScoreSequence> Labels(ChoiceQuestion question, int[] context)
    {
        if (question.Options.Count > Letters)
        {
            throw new ArgumentException(
                $"{question.Options.Count} options cannot be told apart by letters; {Letters} can.", nameof(question));
        }

        var list = string.Concat(question.Options.Select((o, i) =>
            $"{(char)('A' + i)}. {ChannelWording.Readable(o.Name)}{(o.Description is null ? "" : ": " + o.Description)}\n"));
        var text = $"{question.Evidence}\n{list}{question.DirectCue?.TrimStart('\n') ?? "Answer: "}";
        return [.. question.Options.Select((_, i) => Join(context, text, ((char)('A' + i)).ToString()))];
    }

    /// <summary>
    /// Joins a prefix and what is scored after it. A space between them belongs to the word that follows, as
    /// vocabularies have it.
    /// </summary>
    private ScoreSequence Join(int[] context, string prefix, string continuation)
    {
        var trimmed = prefix.TrimEnd(' ');
        var tokenizer = _engine.Tokenizer;
        int[] before = [.. context, .. tokenizer.Tokenize(trimmed, parseSpecial: false)];
        return before.Length > 0
            ? new ScoreSequence(before, tokenizer.Tokenize(prefix[trimmed.Length..] + continuation, parseSpecial: false))
            : new ScoreSequence([tokenizer.EndOfText], tokenizer.Tokenize(continuation, parseSpecial: false));
    }

    private int[] Begin() => _engine.Tokenizer.BeginOfText is { } begin ? [begin] : [];

    private int[] Plain(IReadOnlyList<ChatMessage> messages) =>
        [.. Begin(), .. _engine.Tokenizer.Tokenize(string.Concat(messages.Select(m => m.Text + "\n\n")), parseSpecial: false)];

    private static double Prior(ChoiceQuestion question, int option) => question.LogPriors?[option] ?? 0;

    private static double Sum(float[] values) => values.Sum(v => (double)v);

    private static double Mean(float[] values) => Sum(values) / values.Length;
}
