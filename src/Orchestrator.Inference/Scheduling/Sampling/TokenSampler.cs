using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Scheduling.Sampling;

/// <summary>A token drawn, and how probable the model itself found it.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbability">Natural log under the model's distribution, before anything else.</param>
/// <param name="Alternatives">The most probable tokens, where asked for.</param>
internal readonly record struct SampledToken(
    int Token, float LogProbability, IReadOnlyList<(int Token, float LogProbability)>? Alternatives);

/// <summary>
/// Draws tokens: penalties, mask, temperature, then top-k, top-p (Holtzman et al., ICLR 2020) and min-p (Nguyen et
/// al., ICLR 2025), in that order. Never sorts the vocabulary: a histogram over the leading bits of the weights finds
/// the bucket in which the cut lies, and only that bucket is sorted. Reuses its buffers, so one thread at a time.
/// </summary>
internal sealed class TokenSampler
{
    // The sign, exponent and leading 4 bits of mantissa of a weight in 0..1.
    private const int BucketShift = 19;
    private const int Buckets = (0x3F800000 >> BucketShift) + 1;

    private readonly float[] _logits;
    private readonly float[] _weights;
    private readonly int[] _tokens;
    private readonly int[] _counts = new int[Buckets];
    private readonly double[] _mass = new double[Buckets];
    private readonly List<(float Weight, int Token)> _boundary = [];

    /// <summary>Creates the buffers.</summary>
    /// <param name="vocabulary">Number of tokens.</param>
    public TokenSampler(int vocabulary)
    {
        _logits = new float[vocabulary];
        _weights = new float[vocabulary];
        _tokens = new int[vocabulary];
    }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">One for each token.</param>
    /// <param name="options">How.</param>
    /// <param name="mask">One bit for each token allowed; empty allows all.</param>
    /// <param name="counts">How often each token was generated, for the penalties; null for none.</param>
    /// <param name="index">Which draw of the seed.</param>
    public SampledToken Sample(
        ReadOnlySpan<float> logits,
        SamplingOptions options,
        ReadOnlySpan<uint> mask,
        IReadOnlyDictionary<int, int>? counts,
        int index)
    {
        var (_, normaliser) = LogSumExp.Compute(logits);
        if (!float.IsFinite(normaliser))
        {
            throw new InferenceException(
                InferenceError.DriverFailed, "The model gave logits that are not numbers.", "Verify the model file.");
        }

        var adjusted = Penalise(logits, options, counts);
        if (!mask.IsEmpty && IsDense(mask))
        {
            // Most of a vocabulary, as within a string: as fast without a list of what is allowed.
            adjusted = Forbid(adjusted, mask);
            mask = [];
        }

        var token = options.Temperature == 0
            ? Greedy(adjusted, mask)
            : Draw(adjusted, options, mask, CounterRandom.NextDouble(options.Seed, (ulong)index));
        return new SampledToken(
            token, logits[token] - normaliser, TopTokens(logits, normaliser, options.TopLogProbabilities));
    }

    /// <summary>The most probable tokens, the first of equals being the lowest id.</summary>
    /// <param name="logits">One for each token.</param>
    /// <param name="normaliser">The log of the sum of their exponentials.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<(int Token, float LogProbability)>? TopTokens(
        ReadOnlySpan<float> logits, float normaliser, int count)
    {
        if (count == 0)
        {
            return null;
        }

        var best = new PriorityQueue<int, (float, int)>(count);
        var least = float.NegativeInfinity;
        for (var token = 0; token < logits.Length; token++)
        {
            var logit = logits[token];
            if (best.Count < count)
            {
                best.Enqueue(token, (logit, -token));
                least = best.Count == count ? logits[best.Peek()] : least;
            }
            else if (logit > least)
            {
                best.EnqueueDequeue(token, (logit, -token));
                least = logits[best.Peek()];
            }
        }

        var top = new (int, float)[best.Count];
        for (var i = top.Length - 1; i >= 0; i--)
        {
            var token = best.Dequeue();
            top[i] = (token, logits[token] - normaliser);
        }

        return top;
    }

    private ReadOnlySpan<float> Penalise(
        ReadOnlySpan<float> logits, SamplingOptions options, IReadOnlyDictionary<int, int>? counts)
    {
        if (counts is null || counts.Count == 0 || (options.FrequencyPenalty == 0 && options.PresencePenalty == 0))
        {
            return logits;
        }

        logits.CopyTo(_logits);
        foreach (var (token, count) in counts)
        {
            _logits[token] -= (count * options.FrequencyPenalty) + options.PresencePenalty;
        }

        return _logits;
    }

    /// <summary>Whether a mask allows more than an eighth of the vocabulary.</summary>
    private static bool IsDense(ReadOnlySpan<uint> mask)
    {
        var (allowed, enough) = (0, mask.Length * 4);
        foreach (var word in mask)
        {
            allowed += BitOperations.PopCount(word);
            if (allowed > enough)
            {
                return true;
            }
        }

        return false;
    }

    private float[] Forbid(ReadOnlySpan<float> logits, ReadOnlySpan<uint> mask)
    {
        if (!Unsafe.AreSame(ref MemoryMarshal.GetReference(logits), ref _logits[0]))
        {
            logits.CopyTo(_logits);
        }

        for (var word = 0; word < mask.Length; word++)
        {
            for (var bits = ~mask[word]; bits != 0; bits &= bits - 1)
            {
                var token = (word * 32) + BitOperations.TrailingZeroCount(bits);
                if (token < _logits.Length)
                {
                    _logits[token] = float.NegativeInfinity;
                }
            }
        }

        return _logits;
    }

    private int Greedy(ReadOnlySpan<float> logits, ReadOnlySpan<uint> mask)
    {
        if (mask.IsEmpty)
        {
            return logits.IndexOf(LogSumExp.Max(logits));
        }

        var best = -1;
        var count = Allowed(mask, logits.Length);
        foreach (var token in _tokens.AsSpan(0, count))
        {
            if (best < 0 || logits[token] > logits[best])
            {
                best = token;
            }
        }

        return best;
    }

    private int Draw(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<uint> mask, double draw)
    {
        var inverse = 1f / options.Temperature;
        int count;
        if (mask.IsEmpty)
        {
            count = logits.Length;
            LogSumExp.Weights(logits, LogSumExp.Max(logits), inverse, _weights);
            if (options.TopK == 0 && options.TopP >= 1 && options.MinP == 0)
            {
                return Pick(_weights, draw);
            }

            for (var i = 0; i < count; i++)
            {
                _tokens[i] = i;
            }
        }
        else
        {
            count = Allowed(mask, logits.Length);
            var max = float.NegativeInfinity;
            foreach (var token in _tokens.AsSpan(0, count))
            {
                max = MathF.Max(max, logits[token]);
            }

            for (var i = 0; i < count; i++)
            {
                _weights[i] = MathF.Exp((logits[_tokens[i]] - max) * inverse);
            }
        }

        if (options.TopK > 0 && options.TopK < count)
        {
            count = KeepTop(count, options.TopK, double.PositiveInfinity);
        }

        if (options.TopP < 1)
        {
            count = KeepTop(count, int.MaxValue, options.TopP);
        }

        if (options.MinP > 0)
        {
            count = Keep(count, options.MinP, int.MaxValue);
        }

        return _tokens[Pick(_weights.AsSpan(0, count), draw)];
    }

    /// <summary>Keeps the heaviest until there are enough of them, or enough of the mass.</summary>
    private int KeepTop(int count, int most, double share)
    {
        Array.Clear(_counts);
        Array.Clear(_mass);
        var total = 0.0;
        for (var i = 0; i < count; i++)
        {
            var bucket = Bucket(_weights[i]);
            _counts[bucket]++;
            _mass[bucket] += _weights[i];
            total += _weights[i];
        }

        var wanted = share * total;
        var kept = 0;
        var mass = 0.0;
        var at = Buckets - 1;
        while (at > 0 && kept + _counts[at] < most && mass + _mass[at] < wanted)
        {
            kept += _counts[at];
            mass += _mass[at];
            at--;
        }

        _boundary.Clear();
        for (var i = 0; i < count; i++)
        {
            if (Bucket(_weights[i]) == at)
            {
                _boundary.Add((_weights[i], _tokens[i]));
            }
        }

        _boundary.Sort(static (a, b) => a.Weight != b.Weight ? b.Weight.CompareTo(a.Weight) : a.Token.CompareTo(b.Token));
        foreach (var (weight, token) in _boundary)
        {
            kept++;
            mass += weight;
            if (kept >= most || mass >= wanted)
            {
                return Keep(count, weight, token);
            }
        }

        return count;
    }

    /// <summary>Keeps what is heavier than a weight, and of that weight the tokens up to one.</summary>
    private int Keep(int count, float least, int lastToken)
    {
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (_weights[i] > least || (_weights[i] == least && _tokens[i] <= lastToken))
            {
                _weights[kept] = _weights[i];
                _tokens[kept++] = _tokens[i];
            }
        }

        return kept;
    }

    private static int Bucket(float weight) => Math.Min(Buckets - 1, BitConverter.SingleToInt32Bits(weight) >> BucketShift);

    /// <summary>Inverts the cumulative distribution.</summary>
    private static int Pick(ReadOnlySpan<float> weights, double draw)
    {
        const int Block = 256;
        var total = 0.0;
        var sums = new double[(weights.Length + Block - 1) / Block];
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] = Sum(weights[(i * Block)..Math.Min(weights.Length, (i + 1) * Block)]);
            total += sums[i];
        }

        var rest = draw * total;
        var block = 0;
        while (block < sums.Length - 1 && rest >= sums[block])
        {
            rest -= sums[block++];
        }

        var last = -1;
        for (var i = block * Block; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                last = i;
                rest -= weights[i];
                if (rest < 0)
                {
                    break;
                }
            }
        }

        // Rounding can leave a crumb after the last block's last weight.
        while (last < 0 && block > 0)
        {
            block--;
            last = weights[(block * Block)..((block + 1) * Block)].LastIndexOfAnyExcept(0f) is >= 0 and var i ? (block * Block) + i : -1;
        }

        return last;
    }

    private static double Sum(ReadOnlySpan<float> weights)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var sums = Vector<float>.Zero;
        foreach (var vector in vectors)
        {
            sums += vector;
        }

        double sum = Vector.Sum(sums);
        foreach (var weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            sum += weight;
        }

        return sum;
    }

    /// <summary>Lists the tokens of a mask in order.</summary>
    private int Allowed(ReadOnlySpan<uint> mask, int vocabulary)
    {
        var count = 0;
        for (var word = 0; word < mask.Length; word++)
        {
            for (var bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                var token = (word * 32) + BitOperations.TrailingZeroCount(bits);
                if (token < vocabulary)
                {
                    _tokens[count++] = token;
                }
            }
        }

        return count > 0
            ? count
            : throw new InferenceException(InferenceError.BadRequest, "The constraint allows no token of this vocabulary.");
    }
}
