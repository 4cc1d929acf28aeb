using System.Numerics;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// How often guesses are right, by how much text before them agreed. Counts fade, so that a change in the text shows
/// within some tens of tokens; a request starts from what the engine saw of the others.
/// </summary>
internal sealed class HitRates
{
    private const double Fading = 0.97;
    private const double PriorWeight = 6;

    private readonly HitRates? _parent;
    private readonly double[] _expected;
    private readonly double[] _hits;
    private readonly double[] _tests;

    private HitRates(HitRates? parent, double[] expected)
    {
        _parent = parent;
        _expected = expected;
        _hits = new double[expected.Length];
        _tests = new double[expected.Length];
    }

    /// <summary>Rates for copies, where 1, 2 to 3, 4 to 7, ... tokens agree.</summary>
    public static HitRates ForLookup() => new(null, [0.15, 0.35, 0.6, 0.8, 0.9, 0.95]);

    /// <summary>Rates for the guesses of a model.</summary>
    public static HitRates ForModel() => new(null, [0.65]);

    /// <summary>Rates of one request, which start from these and tell them too.</summary>
    public HitRates Child() => new(this, _expected);

    /// <summary>The expected share of right guesses.</summary>
    /// <param name="agreed">How many tokens before the guess agree, at least 1.</param>
    public double Of(int agreed) => OfClass(Class(agreed));

    /// <summary>Notes how a guess went.</summary>
    /// <param name="agreed">How many tokens before the guess agreed, at least 1.</param>
    /// <param name="hit">Whether it was right.</param>
    public void Record(int agreed, bool hit)
    {
        var c = Class(agreed);
        _hits[c] = (_hits[c] * Fading) + (hit ? 1 : 0);
        _tests[c] = (_tests[c] * Fading) + 1;
        _parent?.Record(agreed, hit);
    }

    /// <summary>Lets counts fade while nothing is guessed, so that it is tried again some day.</summary>
    /// <param name="share">What stays of them.</param>
    public void Fade(double share)
    {
        for (var c = 0; c < _hits.Length; c++)
        {
            _hits[c] *= share;
            _tests[c] *= share;
        }

        _parent?.Fade(share);
    }

    private int Class(int agreed) => Math.Min(_expected.Length - 1, BitOperations.Log2((uint)agreed));

    private double OfClass(int c) =>
        (_hits[c] + (PriorWeight * (_parent?.OfClass(c) ?? _expected[c]))) / (_tests[c] + PriorWeight);
}
