using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// What options make of requests that say nothing: the part of a channel's score that is the option's own. The idea is
/// that of calibration by content-free inputs (Zhao et al., ICML 2021), turned to the channel: averaged over several
/// texts, and taken off in part only, since such texts are likelier after options that fit them.
/// Safe to call from several threads.
/// </summary>
internal sealed class NeutralEvidence(IInferenceEngine engine)
{
    /// <summary>The part that is taken off; measured with tools and no tool to choose from.</summary>
    private const double Part = 0.25;

    private const int MaxCached = 4096;

    private static readonly string[] Texts =
    [
        "Can you help me with this?",
        "What is it?",
        "Please do it.",
        "Tell me more about it.",
        "I have a question.",
        "What do you think about this?",
        "Please look at this and tell me what you find.",
        "It is about the thing that we talked about yesterday.",
    ];

    private readonly ConcurrentDictionary<string, double> _cache = new();

    /// <summary>The part to take off for each token of the evidence.</summary>
    /// <param name="prefixes">The options, as they stand before the evidence.</param>
    /// <param name="tokenize">Turns evidence into tokens.</param>
    /// <param name="request">Who asks.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<(double[] LogProbabilities, int ComputedTokens, int ReusedTokens)> ScoreAsync(
        int[][] prefixes, Func<string, int[]> tokenize, ModelRequest request, CancellationToken cancellationToken)
    {
        // Adapters change what a model makes of a text; their names and scales are part of the key.
        var adapters = string.Join(',', request.Adapters.Select(a => FormattableString.Invariant($"{a.Name}*{a.Scale}")));
        string[] keys = [.. prefixes.Select(p => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(p.AsSpan()))) + adapters)];
        double?[] values = [.. keys.Select(key => _cache.TryGetValue(key, out var value) ? value : (double?)null)];
        int[] unknown = [.. Enumerable.Range(0, keys.Length).Where(i => values[i] is null)];
        var (computed, reused) = (0, 0);
        if (unknown.Length > 0)
        {
            int[][] texts = [.. Texts.Select(tokenize)];
            var result = await engine.ScoreAsync(
                new ScoreRequest
                {
                    Sequences = [.. unknown.SelectMany(i => texts.Select(text => new ScoreSequence(prefixes[i], text)))],
                    Origin = request,
                },
                cancellationToken).ConfigureAwait(false);
            (computed, reused) = (result.ComputedTokens, result.ReusedTokens);
            var tokens = texts.Sum(text => text.Length);
            if (_cache.Count > MaxCached)
            {
                _cache.Clear();
            }

            foreach (var (place, option) in unknown.Index())
            {
                var sum = result.LogProbabilities.Skip(place * texts.Length).Take(texts.Length).Sum(v => v.Sum(x => (double)x));
                values[option] = _cache[keys[option]] = Part * sum / tokens;
            }
        }

        return ([.. values.Select(v => v!.Value)], computed, reused);
    }
}
