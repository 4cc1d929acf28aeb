using System.Collections.Concurrent;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Tokenises rendered prompts. Text between special tokens is independent of what stands around it, so it is looked up
/// piece by piece: a transcript that grew by a turn costs the turn.
/// </summary>
internal sealed class PromptTokenizer(ITokenizer tokenizer)
{
    private const int MaxCachedPieces = 8192;

    private readonly ConcurrentDictionary<string, int[]> _pieces = new();
    private readonly SpecialTextSet _specials = new(tokenizer.SpecialTexts);

    /// <summary>The ids of a prompt, begun as the model wants it.</summary>
    public int[] Tokenize(IReadOnlyList<PromptSegment> segments)
    {
        var ids = new List<int>();
        foreach (var segment in segments)
        {
            if (segment.TokenIds is { } known)
            {
                ids.AddRange(known);
            }
            else
            {
                Append(segment.Text, ids);
            }
        }

        if (tokenizer.BeginOfText is { } begin && (ids.Count == 0 || ids[0] != begin))
        {
            ids.Insert(0, begin);
        }

        return [.. ids];
    }

    private void Append(string text, List<int> ids)
    {
        while (_specials.IndexIn(text) is var at and >= 0)
        {
            var special = _specials.PrefixOf(text.AsSpan(at))!;
            Lookup(text[..at], ids);
            Lookup(special, ids);
            text = text[(at + special.Length)..];
        }

        Lookup(text, ids);
    }

    private void Lookup(string piece, List<int> ids)
    {
        if (piece.Length == 0)
        {
            return;
        }

        if (!_pieces.TryGetValue(piece, out var tokens))
        {
            if (_pieces.Count >= MaxCachedPieces)
            {
                _pieces.Clear();
            }

            tokens = _pieces[piece] = tokenizer.Tokenize(piece, parseSpecial: true);
        }

        ids.AddRange(tokens);
    }
}
