using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>Measures which method suits a model's decisions, and keeps the outcome beside the model.</summary>
public sealed class DecisionMeasurement
{
    private static readonly ChoiceMethod[] Methods =
    [
        ChoiceMethod.Direct,
        ChoiceMethod.Calibrated,
        ChoiceMethod.Labels,
        ChoiceMethod.Channel,
        ChoiceMethod.CalibratedChannel,
        ChoiceMethod.Combined,
    ];

    // Decided before anything counts: a program decides among the same options again and again.
    private const string WarmUp = "This is about something else.";

    private readonly IOptions<InferenceOptions> _options;
    private readonly ModelStore _store;
    private readonly ModelProbe _probe;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;

    /// <summary>Creates it.</summary>
    /// <param name="options">How models are loaded.</param>
    /// <param name="store">Finds models by name.</param>
    /// <param name="probe">Tries files that were never loaded here.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Gets the native library's messages.</param>
    public DecisionMeasurement(IOptions<InferenceOptions> options, ModelStore store, ModelProbe probe, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _store = store;
        _probe = probe;
        _time = time;
        _loggers = loggers;
    }

    /// <summary>Measures.</summary>
    /// <param name="nameOrPath">A name in the store or a GGUF file's path; null for the one in the settings.</param>
    /// <param name="cases">What to decide.</param>
    /// <param name="keep">Whether the outcome is kept beside the model, for every host that loads it from then on.</param>
    /// <param name="progress">Told before each decision; may be null.</param>
    /// <param name="cancellationToken">Stops it; nothing is kept.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="OrchestratorException">
    /// There is no such model, it is broken, it does not fit, or nothing can be written beside it.
    /// </exception>
    public async Task<DecisionReport> RunAsync(
        string? nameOrPath,
        IReadOnlyList<DecisionCase> cases,
        bool keep,
        IProgress<MeasurementProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cases);
        ArgumentOutOfRangeException.ThrowIfZero(cases.Count);
        var file = GgufValidator.ReadValid(_store.Resolve(nameOrPath ?? _options.Value.Model), cancellationToken);
        if (keep)
        {
            DecisionProfileFile.RequireWritable(file.Path);
        }

        var kinds = await MeasureAsync(OpenAsync, cases, _time, progress, cancellationToken).ConfigureAwait(false);
        var profile = new DecisionProfile(Chosen(DecisionKind.Described), Chosen(DecisionKind.NamesOnly));
        return new DecisionReport(ModelCard.Of(file).Name, file.Path, kinds, keep ? DecisionProfileFile.Write(file, profile) : null);

        MeasuredMethod? Chosen(DecisionKind kind) => kinds.FirstOrDefault(k => k.Kind == kind)?.Chosen;

        async Task<(IChoiceScorer, IAsyncDisposable)> OpenAsync()
        {
            var host = new ModelHost(_options, _store, _probe, _time, _loggers);
            try
            {
                return ((await host.LoadAsync(file.Path, progress: null, cancellationToken).ConfigureAwait(false)).Scorer, host);
            }
            catch
            {
                await host.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Measures each method with a scorer of its own, since one method would find another's work in the cache.</summary>
    internal static async Task<IReadOnlyList<KindFigures>> MeasureAsync(
        Func<Task<(IChoiceScorer Scorer, IAsyncDisposable Owner)>> open,
        IReadOnlyList<DecisionCase> cases,
        TimeProvider time,
        IProgress<MeasurementProgress>? progress,
        CancellationToken cancellationToken)
    {
        var kinds = cases.GroupBy(c => c.Kind).OrderBy(g => g.Key).Select(g => (Kind: g.Key, Cases: g.ToList())).ToList();
        var plan = Methods.Select(method => (Method: method, Kinds: kinds.Where(kind => IsApplicable(method, kind.Cases)).ToList())).ToList();
        var total = plan.Sum(part => part.Kinds.Sum(kind => kind.Cases.Count));
        var done = 0;
        var outcomes = kinds.ToDictionary(kind => kind.Kind, _ => new Dictionary<ChoiceMethod, Outcome[]>());
        foreach (var (method, applicable) in plan.Where(part => part.Kinds.Count > 0))
        {
            progress?.Report(new MeasurementProgress(done, total, method));
            var (scorer, owner) = await open().ConfigureAwait(false);
            await using var owned = owner.ConfigureAwait(false);
            foreach (var (kind, ofKind) in applicable)
            {
                outcomes[kind][method] = await DecideAsync(scorer, method, ofKind, time, () => progress?.Report(new MeasurementProgress(done++, total, method)), cancellationToken)
                    .ConfigureAwait(false);
            }
        }

        progress?.Report(new MeasurementProgress(total, total, Methods[^1]));
        return [.. kinds.Select(kind => Figures(kind.Kind, kind.Cases, outcomes[kind.Kind]))];
    }

    private static bool IsApplicable(ChoiceMethod method, IReadOnlyList<DecisionCase> cases) =>
        method != ChoiceMethod.Labels || cases.All(c => c.Options.Count <= DirectWording.Letters);

    private static async Task<Outcome[]> DecideAsync(
        IChoiceScorer scorer, ChoiceMethod method, IReadOnlyList<DecisionCase> cases, TimeProvider time, Action onDecision, CancellationToken cancellationToken)
    {
        var outcomes = new Outcome[cases.Count];
        IReadOnlyList<Choice>? known = null;
        foreach (var (i, one) in cases.Index())
        {
            onDecision();
            var question = new ChoiceQuestion { Evidence = one.Text, Options = one.Options, Method = method };
            if (known is null || !known.SequenceEqual(one.Options))
            {
                await WarmUpAsync(scorer, question, cancellationToken).ConfigureAwait(false);
                known = one.Options;
            }

            var start = time.GetTimestamp();
            var result = await scorer.ScoreAsync(question, cancellationToken).ConfigureAwait(false);
            outcomes[i] = new Outcome(result.Best.Choice.Name == one.Right, result.ComputedTokens, time.GetElapsedTime(start));
        }

        return outcomes;
    }

    // What a text leaves off the shortlist, another may bring back: all options are to be known to the channel too.
    private static Task WarmUpAsync(IChoiceScorer scorer, ChoiceQuestion question, CancellationToken cancellationToken)
    {
        ChoiceMethod[] methods = question.Method == ChoiceMethod.Combined ? [ChoiceMethod.Channel, ChoiceMethod.Combined] : [question.Method];
        return scorer.ScoreAsync([.. methods.Select(method => question with { Evidence = WarmUp, Method = method })], cancellationToken);
    }

    private static KindFigures Figures(DecisionKind kind, IReadOnlyList<DecisionCase> cases, Dictionary<ChoiceMethod, Outcome[]> outcomes)
    {
        // The default is one of the methods for each question, so it needs no decisions of its own.
        Outcome[] byDefault = [.. cases.Select((c, i) => outcomes[ChoiceScorer.DefaultFor(new ChoiceQuestion { Evidence = c.Text, Options = c.Options })][i])];
        var measured = Methods.Where(outcomes.ContainsKey).ToList();
        return new KindFigures(
            kind,
            cases.Average(c => 1d / c.Options.Count),
            [Sum(ChoiceMethod.Auto, byDefault), .. measured.Select(method => Sum(method, outcomes[method]))],
            DecisionProfile.Choose(
                [.. byDefault.Select(o => o.Right)],
                [.. measured.Select(method => (method, (IReadOnlyList<bool>)[.. outcomes[method].Select(o => o.Right)]))]));
    }

    private static MethodFigures Sum(ChoiceMethod method, Outcome[] outcomes) => new(
        method,
        outcomes.Length,
        outcomes.Count(o => o.Right),
        outcomes.Average(o => o.Tokens),
        outcomes.Average(o => o.Elapsed.TotalSeconds));

    private readonly record struct Outcome(bool Right, int Tokens, TimeSpan Elapsed);
}
