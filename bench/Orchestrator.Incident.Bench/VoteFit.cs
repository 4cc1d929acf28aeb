using System.Globalization;

namespace Orchestrator.Incident.Bench;

/// <summary>
/// Fits how much the members' votes count beside the tools' probabilities, on recorded trials: the weight of the mean
/// log-likelihood per token, and the limit of its effect, at which the failing services are most probable. Leaving out one
/// kind of fault after another tells whether that holds beyond the incidents that it was fitted on.
/// </summary>
internal static class VoteFit
{
    private static readonly double[] Weights = [0, 0.5, 1, 2, 3, 5, 7.5, 10];
    private static readonly double[] Limits = [0.1, 0.25, 0.5, 1, 2];

    public static void Print(IReadOnlyList<Trial> trials)
    {
        var voted = trials.Where(t => t.Votes is { Count: > 0 } && t.Votes.Values.First().ContainsKey(t.Service)).ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{voted.Count} votes with the failing service among the options; tools first {voted.Count(t => Right(t, 0, 1))}, log-loss {voted.Average(t => Loss(t, 0, 1)):0.000} nats"));
        foreach (var voter in voted.SelectMany(t => t.Votes!.Keys).Distinct())
        {
            var of = voted.Where(t => t.Votes!.ContainsKey(voter)).ToList();
            Console.WriteLine($"{voter} alone, without the prior: {of.Count(t => t.Votes![voter].MaxBy(v => v.Value).Key == t.Service)} of {of.Count}");
        }

        foreach (var limit in Limits)
        {
            foreach (var weight in Weights.Skip(1))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"weight {weight,4}, limit {limit,4}: first {voted.Count(t => Right(t, weight, limit))}, log-loss {voted.Average(t => Loss(t, weight, limit)):0.000}"));
            }
        }

        var best = Best(voted);
        var right = 0;
        double loss = 0;
        foreach (var kind in voted.Select(t => t.Kind).Distinct())
        {
            var (weight, limit) = Best([.. voted.Where(t => t.Kind != kind)]);
            right += voted.Count(t => t.Kind == kind && Right(t, weight, limit));
            loss += voted.Where(t => t.Kind == kind).Sum(t => Loss(t, weight, limit));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"best: weight {best.Weight}, limit {best.Limit}; with each kind left out: first {right}, log-loss {loss / voted.Count:0.000}"));
    }

    private static (double Weight, double Limit) Best(IReadOnlyList<Trial> trials) =>
        (from weight in Weights from limit in Limits select (weight, limit)).MinBy(x => trials.Sum(t => Loss(t, x.weight, x.limit)) + (0.02 * x.weight));

    private static bool Right(Trial trial, double weight, double limit) => Shares(trial, weight, limit).MaxBy(s => s.Value).Key == trial.Service;

    private static double Loss(Trial trial, double weight, double limit) => -Math.Log(Shares(trial, weight, limit)[trial.Service]);

    private static Dictionary<string, double> Shares(Trial trial, double weight, double limit)
    {
        var options = trial.Votes!.Values.First().Keys.ToList();
        var scores = options.ToDictionary(o => o, o =>
        {
            var shift = weight * trial.Votes.Values.Average(v => v[o] - v.Values.Average());
            return trial.LogPriors![o] + Math.Clamp(shift, -limit, limit);
        });
        var max = scores.Values.Max();
        var sum = scores.Values.Sum(s => Math.Exp(s - max));
        return scores.ToDictionary(s => s.Key, s => Math.Exp(s.Value - max) / sum);
    }
}
