using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// What a model makes of options where the request says nothing: the part of a score that is the option's own. The idea
/// is that of calibration by content-free inputs (Zhao et al., "Calibrate before use", ICML 2021), averaged over several
/// texts. Safe to call from several threads.
/// </summary>
internal sealed class NeutralEvidence(IInferenceEngine engine)
{
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

    private readonly ConcurrentDictionary<string, Average> _cache = new();

    /// <summary>What an option scored on average over the neutral texts.</summary>
    /// <param name="LogProbability">The sum over what is scored of a text.</param>
    /// <param name="Tokens">How many tokens that sum has.</param>
    public readonly record struct Average(double LogProbability, double Tokens)
    {
        /// <summary>The mean of a token.</summary>
        public double PerToken => LogProbability / Tokens;
    }

    /// <summary>Scores each option with the neutral texts in the place of the evidence, once.</summary>
    /// <param name="sequences">What is scored of each option, given the evidence; a pure function.</param>
    /// <param name="request">Who asks.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<(Average[] Options, int ComputedTokens, int ReusedTokens)> ScoreAsync(
        Func<string, IReadOnlyList<ScoreSequence>> sequences, ModelRequest request, CancellationToken cancellationToken)
    {
        // Adapters change what a model makes of a text; their names and scales are part of the key.
        var adapters = string.Join(',', request.Adapters.Select(a => FormattableString.Invariant($"{a.Name}*{a.Scale}")));
        string[] keys = [.. sequences(Texts[0]).Select(s => Key(s) + adapters)];
        Average?[] known = [.. keys.Select(key => _cache.TryGetValue(key, out var value) ? value : (Average?)null)];
        int[] unknown = [.. Enumerable.Range(0, keys.Length).Where(i => known[i] is null)];
        if (unknown.Length == 0)
        {
            return ([.. known.Select(v => v!.Value)], 0, 0);
        }

        var byText = Texts.Select(sequences).ToArray();
        var result = await engine.ScoreAsync(
            new ScoreRequest { Sequences = [.. unknown.SelectMany(i => byText.Select(text => text[i]))], Origin = request },
            cancellationToken).ConfigureAwait(false);
        if (_cache.Count > MaxCached)
        {
            _cache.Clear();
        }

        foreach (var (place, option) in unknown.Index())
        {
            var values = result.LogProbabilities.Skip(place * Texts.Length).Take(Texts.Length).ToArray();
            known[option] = _cache[keys[option]] = new Average(
                values.Sum(v => v.Sum(x => (double)x)) / Texts.Length, (double)values.Sum(v => v.Length) / Texts.Length);
        }

        return ([.. known.Select(v => v!.Value)], result.ComputedTokens, result.ReusedTokens);
    }

    private static string Key(ScoreSequence sequence)
    {
        int[] tokens = [sequence.Prefix.Count, .. sequence.Prefix, .. sequence.Continuation];
        return Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<int>(tokens)));
    }
}
