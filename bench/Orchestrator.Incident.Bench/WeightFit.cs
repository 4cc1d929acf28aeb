using System.Globalization;
using Incident.Generator;
using Orchestrator.Plugins.Logs;

namespace Orchestrator.Incident.Bench;

/// <summary>
/// Fits the weights of the tools' signals on development incidents: a conditional logit over each incident's services,
/// ridge-penalised. What it would do on a kind of fault that it has not seen is told by leaving out one kind after another.
/// </summary>
internal sealed class WeightFit
{
    private const double Ridge = 0.5;

    private readonly List<Case> _cases = [];

    private sealed record Case(int Seed, string Kind, string Service, double OnsetError, IReadOnlyList<Suspect> Suspects)
    {
        public int Truth { get; } = Suspects.ToList().FindIndex(s => s.Service == Service);
    }

    public void Add(int seed, FaultKind kind, string folder)
    {
        var incident = IncidentFolder.Make(seed, kind);
        incident.Write(folder);
        var index = LogIndex.Build(new LogReader(folder));
        var onset = Onset.Find(index)?.Time;
        _cases.Add(new Case(seed, kind.Name, incident.Truth.Service, onset is { } o ? (o - incident.Truth.Onset).TotalSeconds : double.NaN, Suspect.Rank(index, onset)));
    }

    public void Print(bool verbose)
    {
        var all = Fit(_cases);
        var right = 0;
        var three = 0;
        double loss = 0;
        foreach (var kind in _cases.Select(c => c.Kind).Distinct().ToList())
        {
            var weights = Fit([.. _cases.Where(c => c.Kind != kind)]);
            var of = _cases.Where(c => c.Kind == kind).ToList();
            var ranks = of.Select(c => Rank(c, weights)).ToList();
            right += ranks.Count(r => r == 1);
            three += ranks.Count(r => r is > 0 and <= 3);
            loss -= of.Where(c => c.Truth >= 0).Sum(c => Math.Log(Probabilities(c, weights)[c.Truth]));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-18} left out: first {ranks.Count(r => r == 1)} of {ranks.Count}; fitted: {of.Count(c => Rank(c, all) == 1)}; onset off by {of.Select(c => Math.Abs(c.OnsetError)).Order().ElementAt(of.Count / 2):0} s"));
            if (verbose)
            {
                foreach (var c in of.Where(c => Rank(c, weights) != 1 && c.Truth >= 0))
                {
                    var first = Probabilities(c, weights);
                    var winner = c.Suspects[Array.IndexOf(first, first.Max())];
                    Console.WriteLine($"   {c.Seed} {c.Service}: {Show(c.Suspects[c.Truth])}\n        not {winner.Service}: {Show(winner)}");
                }
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"left-out kinds: first {right} of {_cases.Count}, among three {three}, log-loss {loss / _cases.Count:0.00} nats; fitted: first {_cases.Count(c => Rank(c, all) == 1)}"));
        for (var i = 0; i < all.Length; i++)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{all[i],6:0.00}  {ServiceSignals.Names[i]}"));
        }
    }

    private static string Show(Suspect s) => string.Join(" ", s.Signals.Select(v => v.ToString("0.00", CultureInfo.InvariantCulture)));

    private static int Rank(Case c, double[] weights)
    {
        var p = Probabilities(c, weights);
        return c.Truth < 0 ? 0 : 1 + p.Count(x => x > p[c.Truth]);
    }

    private static double[] Probabilities(Case c, double[] weights)
    {
        var u = c.Suspects.Select(s => s.Signals.Zip(weights, (x, w) => x * w).Sum()).ToArray();
        var max = u.DefaultIfEmpty(0).Max();
        var e = Array.ConvertAll(u, x => Math.Exp(x - max));
        return Array.ConvertAll(e, x => x / e.Sum());
    }

    /// <summary>Gradient ascent on the penalised log-likelihood, which is concave.</summary>
    private static double[] Fit(IReadOnlyList<Case> cases)
    {
        var known = cases.Where(c => c.Truth >= 0).ToList();
        var weights = new double[ServiceSignals.Names.Count];
        for (var step = 0; step < 3000; step++)
        {
            var gradient = Array.ConvertAll(weights, w => -Ridge * w);
            foreach (var c in known)
            {
                var p = Probabilities(c, weights);
                for (var s = 0; s < p.Length; s++)
                {
                    var residual = (s == c.Truth ? 1 : 0) - p[s];
                    for (var i = 0; i < weights.Length; i++)
                    {
                        gradient[i] += residual * c.Suspects[s].Signals[i];
                    }
                }
            }

            for (var i = 0; i < weights.Length; i++)
            {
                weights[i] += 0.05 * gradient[i];
            }
        }

        return weights;
    }
}
