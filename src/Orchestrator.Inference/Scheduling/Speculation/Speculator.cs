using Microsoft.Extensions.Logging;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// Decides what is guessed ahead in a step: the most probable guesses of all requests together, as many of them as
/// give the most tokens a second by what batches cost (goodput: Liu et al., "Optimizing Speculative Decoding for
/// Serving Large Language Models Using Goodput", 2024). Where nothing is worth guessing, nothing is. Touched by the
/// scheduler's thread only.
/// </summary>
internal sealed partial class Speculator
{
    /// <summary>What a step must promise over one without guesses; estimates are noisy.</summary>
    private const double LeastGain = 1.1;

    /// <summary>What a draft model's step costs of a step of the model, until it is measured.</summary>
    private const double DraftShare = 0.2;

    /// <summary>What stays of a draft model's counts for each step in which it was not asked.</summary>
    private const double Fading = 0.99;

    private readonly SpeculationOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HitRates _lookupRates = HitRates.ForLookup();
    private readonly HitRates _modelRates = HitRates.ForModel();
    private readonly List<double> _pool = [];
    private DraftModel? _model;

    /// <summary>Creates it.</summary>
    /// <param name="options">How.</param>
    /// <param name="model">Guesses where the text itself says nothing; null for none.</param>
    /// <param name="time">The clock that batches are timed by.</param>
    /// <param name="log">Where failures of the draft model are told.</param>
    public Speculator(SpeculationOptions options, DraftModel? model, TimeProvider time, ILogger log)
    {
        _options = options;
        _model = model;
        _time = time;
        _log = log;
        StepTime = new StepTime(options.StepTime);
    }

    /// <summary>What batches cost.</summary>
    public StepTime StepTime { get; }

    /// <summary>Why a model cannot be speculated on, as a sentence; null where it can.</summary>
    /// <param name="options">How.</param>
    /// <param name="model">The model.</param>
    /// <param name="hasDraftModel">Whether there is a draft model.</param>
    public static string? WhyNot(SpeculationOptions options, DriverInfo model, bool hasDraftModel) => model switch
    {
        _ when options.MaxDraftTokens == 0 || !(options.PromptLookup || hasDraftModel) => "Speculation is turned off.",
        { Embeddings: true } => $"{model.Name} was opened for embeddings.",
        { CanCut: false } => $"The cache of {model.Name} cannot be cut, so wrong guesses could not be taken back.",
        _ => null,
    };

    /// <summary>Lets a generation take part.</summary>
    public void Attach(Generation generation) => generation.Drafting = new Drafting
    {
        Lookup = _options.PromptLookup ? new PromptLookup(generation.Tokens, _lookupRates.Child()) : null,
        ModelRates = _model is null ? null : _modelRates.Child(),
    };

    /// <summary>Lets go of a generation that is done.</summary>
    public void Leave(Generation generation) => _model?.Leave(generation);

    /// <summary>Compares the draft model's KV tree with its driver's cells.</summary>
    public IReadOnlyList<string> Audit() => _model?.Audit() ?? [];

    /// <summary>Drops everything from the draft model's cache that no generation works on.</summary>
    public void ClearCache() => _model?.Clear();

    /// <summary>Writes the drafts of a step.</summary>
    /// <param name="generations">All that go on in it, each with at least one token of its own to compute.</param>
    /// <param name="size">The batch's tokens without drafts.</param>
    /// <param name="most">The most tokens that drafts may add.</param>
    public void Draft(IReadOnlyList<Generation> generations, int size, int most)
    {
        most = Math.Min(most, StepTime.Largest - size);
        if (most <= 0)
        {
            return;
        }

        foreach (var generation in generations)
        {
            var drafting = generation.Drafting!;
            drafting.Lookup?.Guess(Math.Min(_options.MaxDraftTokens, generation.MostDraft), drafting.Guess);
        }

        var plan = Lookups(generations, size, most, new Plan(generations.Count / StepTime.Of(size) * LeastGain, 0, 0, 0));
        plan = Models(generations, size, most, plan);
        if (plan.Depth > 0)
        {
            foreach (var (generation, _) in DraftByModel(generations, plan.Depth, most))
            {
                most -= generation.Drafting!.Draft.Count;
            }
        }
        else
        {
            _modelRates.Fade(Fading);
        }

        if (plan.Lookups == 0)
        {
            return;
        }

        foreach (var generation in generations)
        {
            if (generation.Drafting is { OfModel: false, Guess: var guess })
            {
                var length = guess.FindIndex(g => g.Probability < plan.Least);

                // Equals at the limit may be more than there is room for.
                generation.StartDraft(most).Copy(guess, length < 0 ? guess.Count : length);
                most -= generation.Drafting.Draft.Count;
            }
        }
    }

    /// <summary>The best plan without the draft model.</summary>
    private Plan Lookups(IReadOnlyList<Generation> generations, int size, int most, Plan plan)
    {
        _pool.Clear();
        foreach (var generation in generations)
        {
            _pool.AddRange(generation.Drafting!.Guess.Select(g => g.Probability));
        }

        return Best(generations.Count, size, most, plan, depth: 0, spent: 0);
    }

    /// <summary>A better plan with the draft model, where there is one: for those whom the text itself tells less.</summary>
    private Plan Models(IReadOnlyList<Generation> generations, int size, int most, Plan plan)
    {
        if (_model is null)
        {
            return plan;
        }

        for (var depth = 1; depth <= _options.MaxDraftTokens; depth += depth < 4 ? 1 : 4)
        {
            _pool.Clear();
            var (drafted, expected) = (0, 0.0);
            foreach (var generation in generations)
            {
                if (!PrefersModel(generation, depth))
                {
                    _pool.AddRange(generation.Drafting!.Guess.Select(g => g.Probability));
                    continue;
                }

                drafted++;
                for (var i = 1; i <= Math.Min(depth, generation.MostDraft); i++)
                {
                    expected += Math.Pow(generation.Drafting!.ModelRates!.Of(1), i);
                }
            }

            if (drafted == 0 || drafted * depth > most)
            {
                break;
            }

            var round = _model.StepTime.Measured ? _model.StepTime.Of(drafted) : DraftShare * StepTime.Of(drafted);
            plan = Best(generations.Count + expected, size + (drafted * depth), most - (drafted * depth), plan, depth, depth * round);
        }

        return plan;
    }

    private bool PrefersModel(Generation generation, int depth) =>
        generation.MostDraft > 0
        && generation.Drafting is { ModelRates: { } rates, Guess: var guess }
        && (guess.Count == 0 || guess[0].Probability < rates.Of(1))
        && _model!.CanDraft(generation, depth);

    private List<(Generation Generation, DraftWriter Writer)> DraftByModel(IReadOnlyList<Generation> generations, int depth, int most)
    {
        var drafted = new List<(Generation Generation, DraftWriter Writer)>();
        foreach (var generation in generations)
        {
            if (PrefersModel(generation, depth) && most >= depth)
            {
                generation.Drafting!.OfModel = true;
                drafted.Add((generation, generation.StartDraft(depth)));
                most -= depth;
            }
        }

        try
        {
            _model!.Draft(drafted, depth, _time);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Whatever it wrote is a guess like any other.
            LogFailure(error);
            _model = null;
        }

        return drafted;
    }

    /// <summary>How many of the pool's guesses give the most tokens a second.</summary>
    /// <param name="tokens">Tokens expected without them.</param>
    /// <param name="size">The batch's tokens without them.</param>
    /// <param name="most">The most of them.</param>
    /// <param name="best">The best plan so far.</param>
    /// <param name="depth">The draft model's rounds.</param>
    /// <param name="spent">The time that they take.</param>
    private Plan Best(double tokens, int size, int most, Plan best, int depth, double spent)
    {
        _pool.Sort(static (a, b) => b.CompareTo(a));
        most = Math.Min(most, _pool.Count);
        for (var n = 0; n <= most; n++)
        {
            tokens += n > 0 ? _pool[n - 1] : 0;

            // Kernels like multiples of 4; between them little is gained, and estimates would spread thin.
            if ((size + n) % 4 != 0 && n > 0 && n < most)
            {
                continue;
            }

            var rate = tokens / (StepTime.Of(size + n) + spent);
            if (rate > best.Rate && n + depth > 0)
            {
                best = new Plan(rate, depth, n, n > 0 ? _pool[n - 1] : 1);
            }
        }

        return best;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The draft model failed; going on without it.")]
    private partial void LogFailure(Exception error);

    /// <summary>What to guess in a step.</summary>
    /// <param name="Rate">Tokens a second that it promises.</param>
    /// <param name="Depth">The draft model's rounds.</param>
    /// <param name="Lookups">How many tokens to look up.</param>
    /// <param name="Least">The probability that each of those must have.</param>
    private readonly record struct Plan(double Rate, int Depth, int Lookups, double Least);
}
