namespace Orchestrator.Plugins.Logs;

/// <summary>A service that the incident may have started in.</summary>
/// <param name="Service">The service.</param>
/// <param name="Score">The probability that it started there; all add up to 1.</param>
/// <param name="Signals">What speaks for it and against it, in the order of <see cref="ServiceSignals.Names"/>.</param>
/// <param name="Evidence">The kinds of message that speak against it most.</param>
public sealed record Suspect(string Service, double Score, IReadOnlyList<double> Signals, IReadOnlyList<Anomaly> Evidence)
{
    /// <summary>Share of the failed requests in which it failed first, 0 to 1.</summary>
    public double FailedFirst => Signals[0];

    /// <summary>Share of the failed requests whose first error names it, 0 to 1.</summary>
    public double Accused => Signals[1];

    /// <summary>Share of the added time that requests spend in it, 0 to 1.</summary>
    public double Delay => Signals[3];

    /// <summary>
    /// How much each signal counts, in nats: the coefficients of a conditional logit over an incident's services (McFadden,
    /// "Conditional Logit Analysis of Qualitative Choice Behavior", 1974), fitted by penalised likelihood on incidents of the
    /// development kinds by <c>Orchestrator.Incident.Bench --fit</c>. So the scores are calibrated probabilities.
    /// </summary>
    internal static readonly double[] Weights = [1.07, 2.49, -0.52, 0.17, 4.15, 0.87, 2.23, 2.26, 2.08, 2.60, 1.18, 0.43, -0.25];

    /// <summary>Ranks the services.</summary>
    /// <param name="index">The logs.</param>
    /// <param name="onset">When things got worse; found when null.</param>
    /// <returns>The most suspicious first; empty when nothing got worse.</returns>
    public static IReadOnlyList<Suspect> Rank(LogIndex index, DateTimeOffset? onset = null)
    {
        onset ??= Onset.Find(index)?.Time;
        if (onset is not { } since)
        {
            return [];
        }

        var anomalies = Anomaly.Rank(index, since);
        var signals = new ServiceSignals(index, since, anomalies);
        var utilities = index.Services.Select(s => signals.Of(s).Zip(Weights, (x, w) => x * w).Sum()).ToList();
        var max = utilities.Max();
        var total = utilities.Sum(u => Math.Exp(u - max));
        return [.. index.Services
            .Select((s, i) => new Suspect(s, Math.Exp(utilities[i] - max) / total, signals.Of(s), [.. anomalies.Where(a => a.Service == s && a.Bits > 0).Take(8)]))
            .OrderByDescending(s => s.Score)];
    }
}
