using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.Testing.Models;

/// <summary>
/// A small vocabulary of real byte-pair encoding: three special tokens, all 256 bytes, and merges learned from a
/// short text (Sennrich et al., ACL 2016, over bytes as in GPT-2), so that any text can be encoded and common
/// words take few tokens.
/// </summary>
public sealed partial class TinyVocabulary
{
    /// <summary>Ends a document.</summary>
    public const int EndOfText = 0;

    /// <summary>Begins a message, <c>&lt;|im_start|&gt;</c>.</summary>
    public const int MessageStart = 1;

    /// <summary>Ends a message, <c>&lt;|im_end|&gt;</c>; the model's end of generation.</summary>
    public const int MessageEnd = 2;

    /// <summary>Special tokens and bytes.</summary>
    public const int Smallest = 3 + 256;

    private const int Normal = 1;
    private const int Control = 3;

    private const string Sample =
        """
        The team plans the task, divides the work between its members and writes the report. Each agent has a role:
        the planner makes a plan, the analyst reads the log and finds the cause, the reviewer asks for evidence.
        When the first request fails, the service writes an error with the time, the level and the request id.
        {"name": "search", "arguments": {"query": "error", "limit": 10}} {"speaker": "analyst", "reason": "the log"}
        {"tasks": [{"id": "t1", "title": "Read the log", "needs": []}, {"id": "t2", "title": "Write the report"}]}
        There are three of them, and there was one that the others were not told about: what, where, when and why.
        system user assistant tool message content true false null yes no and or not is in on at to of for from with
        """;

    private TinyVocabulary(IReadOnlyList<string> tokens, IReadOnlyList<int> types, IReadOnlyList<string> merges)
    {
        Tokens = tokens;
        Types = types;
        Merges = merges;
    }

    /// <summary>The tokens' texts in GPT-2's byte alphabet, where a space is <c>Ġ</c>.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The tokens' types: 1 normal, 3 control.</summary>
    public IReadOnlyList<int> Types { get; }

    /// <summary>The merges, best first, as <c>left right</c>.</summary>
    public IReadOnlyList<string> Merges { get; }

    /// <summary>Makes a vocabulary.</summary>
    /// <param name="size">Number of tokens, at least <see cref="Smallest"/>.</param>
    /// <param name="controls">Texts of further control tokens, the last of the vocabulary; null for none.</param>
    public static TinyVocabulary OfSize(int size, IReadOnlyList<string>? controls = null)
    {
        controls ??= [];
        ArgumentOutOfRangeException.ThrowIfLessThan(size, Smallest + controls.Count);
        var alphabet = ByteAlphabet();
        List<string> tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", .. alphabet.Select(c => c.ToString())];
        List<int> types = [Control, Control, Control, .. alphabet.Select(_ => Normal)];
        List<string> merges = [];
        foreach (var (left, right) in Learn(alphabet, size - Smallest - controls.Count))
        {
            merges.Add($"{left} {right}");
            tokens.Add(left + right);
            types.Add(Normal);
        }

        for (var unused = 0; tokens.Count < size - controls.Count; unused++)
        {
            tokens.Add($"<|unused_{unused}|>");
            types.Add(Control);
        }

        tokens.AddRange(controls);
        types.AddRange(controls.Select(_ => Control));

        return new TinyVocabulary(tokens, types, merges);
    }

    /// <summary>Makes a vocabulary of the first tokens of a published byte-pair encoding.</summary>
    /// <param name="ranks">The tokens' bytes in the order of their merges; the first 256 are the bytes.</param>
    /// <param name="size">Number of tokens, the three special ones included.</param>
    /// <exception cref="ArgumentException">A token is not made of two others before it.</exception>
    public static TinyVocabulary Of(IReadOnlyList<byte[]> ranks, int size)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, Smallest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, ranks.Count + 3);
        var alphabet = ByteAlphabet();
        List<string> tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
        List<int> types = [Control, Control, Control];
        var merges = new List<string>();
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var bytes in ranks.Take(size - 3))
        {
            var token = string.Concat(bytes.Select(b => alphabet[b]));
            if (token.Length > 1)
            {
                merges.Add(LastMerge(token, known));
            }

            known.Add(token, known.Count);
            tokens.Add(token);
            types.Add(Normal);
        }

        return new TinyVocabulary(tokens, types, merges);
    }

    /// <summary>The two tokens that a token is merged from: what its bytes become by all merges before its own.</summary>
    private static string LastMerge(string token, Dictionary<string, int> known)
    {
        var parts = token.Select(c => c.ToString()).ToList();
        while (parts.Count > 2)
        {
            var (best, least) = (0, int.MaxValue);
            for (var i = 1; i < parts.Count; i++)
            {
                if (known.TryGetValue(parts[i - 1] + parts[i], out var rank) && rank < least)
                {
                    (best, least) = (i, rank);
                }
            }

            if (best == 0)
            {
                throw new ArgumentException($"'{token}' is not made of two tokens before it.");
            }

            parts[best - 1] += parts[best];
            parts.RemoveAt(best);
        }

        return $"{parts[0]} {parts[1]}";
    }

    /// <summary>GPT-2's printable stand-in for each byte, by byte.</summary>
    private static char[] ByteAlphabet()
    {
        var alphabet = new char[256];
        var next = (char)256;
        for (var b = 0; b < 256; b++)
        {
            alphabet[b] = b is (>= '!' and <= '~') or (>= 0xa1 and <= 0xac) or (>= 0xae) ? (char)b : next++;
        }

        return alphabet;
    }

    private static IEnumerable<(string Left, string Right)> Learn(char[] alphabet, int limit)
    {
        var words = Words().Matches(Sample)
            .GroupBy(word => word.Value)
            .Select(word => (Symbols: Encoding.UTF8.GetBytes(word.Key).Select(b => alphabet[b].ToString()).ToList(), Count: word.Count()))
            .ToList();
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var merge = 0; merge < limit; merge++)
        {
            var counts = new Dictionary<(string, string), int>();
            foreach (var (symbols, count) in words)
            {
                for (var i = 1; i < symbols.Count; i++)
                {
                    counts[(symbols[i - 1], symbols[i])] = counts.GetValueOrDefault((symbols[i - 1], symbols[i])) + count;
                }
            }

            // Ties are broken by text, so that the result doesn't depend on the order of a dictionary.
            var best = counts.Where(pair => !known.Contains(pair.Key.Item1 + pair.Key.Item2))
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal)
                .ThenBy(pair => pair.Key.Item2, StringComparer.Ordinal)
                .Select(pair => pair.Key)
                .FirstOrDefault();
            if (best.Item1 is null)
            {
                yield break;
            }

            known.Add(best.Item1 + best.Item2);
            foreach (var (symbols, _) in words)
            {
                for (var i = symbols.Count - 1; i > 0; i--)
                {
                    if (symbols[i - 1] == best.Item1 && symbols[i] == best.Item2)
                    {
                        symbols[i - 1] += symbols[i];
                        symbols.RemoveAt(i);
                        i--;
                    }
                }
            }

            yield return best;
        }
    }

    /// <summary>The pre-tokenizer that llama.cpp calls "smollm": digits stand alone.</summary>
    [GeneratedRegex(@"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s")]
    private static partial Regex Words();
}
