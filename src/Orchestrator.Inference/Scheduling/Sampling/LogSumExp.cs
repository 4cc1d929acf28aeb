using System.Numerics;
using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Scheduling.Sampling;

/// <summary>The normaliser of a softmax, vectorised.</summary>
internal static class LogSumExp
{
    /// <summary>The largest logit and the natural log of the sum of the exponentials.</summary>
    /// <param name="logits">At least one.</param>
    public static (float Max, float Log) Compute(ReadOnlySpan<float> logits)
    {
        var max = Max(logits);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var shift = new Vector<float>(max);
        var sums = Vector<float>.Zero;
        foreach (var vector in vectors)
        {
            sums += Vector.Exp(vector - shift);
        }

        double sum = Vector.Sum(sums);
        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            sum += MathF.Exp(logit - max);
        }

        return (max, max + (float)Math.Log(sum));
    }

    /// <summary>Writes exp((logit − max) × inverse temperature) for each logit.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="max">Their maximum.</param>
    /// <param name="inverseTemperature">1 / temperature.</param>
    /// <param name="weights">Where to; as long as the logits.</param>
    public static void Weights(ReadOnlySpan<float> logits, float max, float inverseTemperature, Span<float> weights)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var targets = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var shift = new Vector<float>(max);
        for (var i = 0; i < vectors.Length; i++)
        {
            targets[i] = Vector.Exp((vectors[i] - shift) * inverseTemperature);
        }

        for (var i = vectors.Length * Vector<float>.Count; i < logits.Length; i++)
        {
            weights[i] = MathF.Exp((logits[i] - max) * inverseTemperature);
        }
    }

    /// <summary>The largest logit.</summary>
    /// <param name="logits">At least one.</param>
    public static float Max(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var best = new Vector<float>(float.NegativeInfinity);
        foreach (var vector in vectors)
        {
            best = Vector.Max(best, vector);
        }

        var max = float.NegativeInfinity;
        for (var i = 0; i < Vector<float>.Count; i++)
        {
            max = MathF.Max(max, best[i]);
        }

        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            max = MathF.Max(max, logit);
        }

        return max;
    }
}
