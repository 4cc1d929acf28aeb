using System.Numerics;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// Guesses that a text goes on as it did where its end stood before (prompt lookup: Saxena 2023), by the longest such
/// place, the latest of equals. Places are found by hash chains over pairs of tokens, as in LZ77's common
/// implementations. It also notes which guesses would have been right, whether or not anybody asked for them, so that
/// finding out whether it pays costs nothing.
/// </summary>
internal sealed class PromptLookup
{
    /// <summary>How many tokens must agree.</summary>
    private const int Least = 2;

    private const int MostCandidates = 32;
    private const int MostCompared = 64;

    private readonly List<int> _tokens;
    private readonly HitRates _rates;
    private int[] _last = [];
    private int[] _previous = [];
    private int _indexed;
    private int _source;
    private int _agreed;

    /// <summary>Creates a lookup.</summary>
    /// <param name="tokens">The text, which its owner goes on writing; see <see cref="Written"/>.</param>
    /// <param name="rates">Gets how guesses went.</param>
    public PromptLookup(List<int> tokens, HitRates rates)
    {
        _tokens = tokens;
        _rates = rates;
    }

    /// <summary>Takes note of a token just written at the end of the text.</summary>
    /// <param name="chosen">Whether it was a choice, so that having guessed it counts.</param>
    public void Written(bool chosen)
    {
        if (_agreed == 0)
        {
            return;
        }

        var hit = _tokens[_source] == _tokens[^1];
        if (chosen)
        {
            _rates.Record(_agreed, hit);
        }

        _source++;
        _agreed = hit ? _agreed + 1 : 0;
    }

    /// <summary>Guesses what comes next.</summary>
    /// <param name="most">The most tokens.</param>
    /// <param name="guess">Gets each token, and how probable it is that it and all before it are right.</param>
    public void Guess(int most, List<(int Token, double Probability)> guess)
    {
        guess.Clear();
        Index();
        if (_agreed == 0)
        {
            Find();
        }

        if (_agreed == 0)
        {
            return;
        }

        var probability = 1.0;
        for (var i = 0; i < most; i++)
        {
            // Past its own end the text repeats what was guessed.
            var at = _source + i;
            var token = at < _tokens.Count ? _tokens[at] : guess[at - _tokens.Count].Token;
            probability *= _rates.Of(_agreed + i);
            guess.Add((token, probability));
        }
    }

    /// <summary>Enters every place up to, but without, the end of the text.</summary>
    private void Index()
    {
        if (_tokens.Count > _previous.Length)
        {
            Array.Resize(ref _previous, (int)BitOperations.RoundUpToPowerOf2((uint)_tokens.Count + 256));
            _last = new int[_previous.Length];
            _indexed = 0;
        }

        for (var at = Math.Max(_indexed, Least); at < _tokens.Count; at++)
        {
            ref var last = ref _last[Bucket(at)];
            _previous[at] = last;
            last = at;
        }

        _indexed = _tokens.Count;
    }

    private void Find()
    {
        var end = _tokens.Count;
        if (end < Least)
        {
            return;
        }

        var at = _last[Bucket(end)];
        for (var tried = 0; at > 0 && tried < MostCandidates; tried++, at = _previous[at])
        {
            var agreed = 0;
            while (agreed < MostCompared && agreed < at && _tokens[at - 1 - agreed] == _tokens[end - 1 - agreed])
            {
                agreed++;
            }

            if (agreed >= Least && agreed > _agreed)
            {
                _agreed = agreed;
                _source = at;
            }
        }
    }

    /// <summary>Where the chain of the two tokens before a place begins.</summary>
    private int Bucket(int at)
    {
        var hash = ((ulong)(uint)_tokens[at - 2] << 32 | (uint)_tokens[at - 1]) * 0x9E3779B97F4A7C15UL;
        return (int)(hash >> (64 - BitOperations.Log2((uint)_last.Length)));
    }
}
