namespace Orchestrator.Inference.Benchmarks;

/// <summary>What a conversation of many agents costs, served in several ways.</summary>
/// <param name="Workload">The conversation.</param>
/// <param name="Contenders">One for each way of serving it; the first is this engine.</param>
/// <param name="Drift">How far the machine drifted meanwhile; see <see cref="MachineReading.Drift"/>.</param>
public sealed record ConversationFigures(Workload Workload, IReadOnlyList<ContenderFigures> Contenders, double Drift)
{
    /// <summary>Whether the machine was steady enough for the figures to be compared.</summary>
    public bool Trusted => Drift <= MachineWatch.MostDrift;

    /// <summary>Measures: the contenders take turns, each with the same texts.</summary>
    /// <param name="workload">The conversation.</param>
    /// <param name="contenders">This engine first; a <see cref="BareLoop"/> among them is the limit.</param>
    /// <param name="repeats">How often each is measured.</param>
    /// <param name="vocabulary">Tokens of the model.</param>
    /// <param name="watch">Reads the machine before each repeat and at the end.</param>
    /// <param name="turn">Told who is next.</param>
    /// <param name="cancellationToken">Ends it at the next batch.</param>
    internal static async Task<ConversationFigures> MeasureAsync(
        Workload workload,
        IReadOnlyList<Contender> contenders,
        int repeats,
        int vocabulary,
        MachineWatch watch,
        Action<string>? turn = null,
        CancellationToken cancellationToken = default)
    {
        var outcomes = contenders.ToDictionary(c => c, _ => new List<Outcome>());
        var first = watch.Take();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var texts = workload.Write(vocabulary, 1000 + repeat);
            foreach (var contender in contenders)
            {
                turn?.Invoke(contender.Name);
                outcomes[contender].Add(await contender.RunAsync(workload, texts, cancellationToken).ConfigureAwait(false));
            }

            watch.Take();
        }

        var ours = outcomes[contenders[0]];
        var limit = contenders.OfType<BareLoop>().Select(c => outcomes[c]).FirstOrDefault();
        return new ConversationFigures(
            workload,
            [.. contenders.Select(c => ContenderFigures.Of(workload, c.Name, outcomes[c], ours, limit))],
            watch.DriftSince(first));
    }
}

/// <summary>What one way of serving a conversation costs; medians where it was measured several times.</summary>
public sealed record ContenderFigures
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The whole conversation in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Its time in times of this engine's.</summary>
    public required double TimesOurs { get; init; }

    /// <summary>
    /// The time of a bare loop over llama.cpp, which computes each new token once, as a share of its time; null where no
    /// such loop was measured.
    /// </summary>
    public required double? ShareOfLimit { get; init; }

    /// <summary>Prompt tokens that were computed.</summary>
    public required int ComputedTokens { get; init; }

    /// <summary>Prompt tokens that were found in a cache.</summary>
    public required int ReusedTokens { get; init; }

    /// <summary>The fewest prompt tokens that can be computed for these prompts.</summary>
    public required int NewTokens { get; init; }

    /// <summary>Tokens guessed ahead and computed to check them.</summary>
    public required int DraftedTokens { get; init; }

    /// <summary>Seconds from a request to its first token, for half of the answers at most.</summary>
    public required double FirstTokenP50 { get; init; }

    /// <summary>Seconds from a request to its first token, for 95 % of the answers at most.</summary>
    public required double FirstTokenP95 { get; init; }

    /// <summary>Tokens of all answers by the whole time.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The largest resident size of its process in bytes; null where the system does not tell.</summary>
    public required long? PeakBytes { get; init; }

    internal static ContenderFigures Of(
        Workload workload, string name, IReadOnlyList<Outcome> all, IReadOnlyList<Outcome> ours, IReadOnlyList<Outcome>? limit)
    {
        // The median of the ratios within a repeat: each compares neighbours in time.
        static double Ratio(IReadOnlyList<Outcome> a, IReadOnlyList<Outcome> b) => Ranked.Median(a.Zip(b, (x, y) => x.Wall / y.Wall));
        var seconds = Ranked.Median(all.Select(o => o.Wall.TotalSeconds));
        var firsts = all.SelectMany(o => o.FirstTokens).Select(f => f.TotalSeconds).ToList();
        var most = all.MaxBy(o => o.Computed)!;
        return new ContenderFigures
        {
            Name = name,
            Seconds = seconds,
            TimesOurs = Ratio(all, ours),
            ShareOfLimit = limit is null ? null : Ratio(limit, all),
            ComputedTokens = most.Computed,
            ReusedTokens = most.Prompt - most.Computed,
            NewTokens = most.New,
            DraftedTokens = all.Max(o => o.Drafted),
            FirstTokenP50 = Ranked.At(firsts, 0.5),
            FirstTokenP95 = Ranked.At(firsts, 0.95),
            TokensPerSecond = workload.Answers * Workload.Answer / seconds,
            PeakBytes = all.Max(o => o.PeakBytes),
        };
    }
}
