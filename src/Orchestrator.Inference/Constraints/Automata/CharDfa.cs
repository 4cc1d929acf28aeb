using System.Collections.Concurrent;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>A deterministic automaton over characters as a table: states × classes of characters that are never told apart.</summary>
internal sealed class CharDfa : CharAutomaton
{
    /// <summary>Above so many states a pattern is refused.</summary>
    public const int MaxStates = 20_000;

    private readonly int[] _lows;
    private readonly int[] _next;
    private readonly int[] _tags;
    private readonly int[] _minCharacters;
    private readonly int[] _weights;
    private readonly ConcurrentDictionary<int, int[]> _minBytes = [];
    private readonly int[] _distinctTags;

    /// <summary>Takes a table, and drops the states from which nothing is accepted.</summary>
    /// <param name="lows">The first character of each class, in order; class i reaches to where i + 1 begins.</param>
    /// <param name="next">State × class → state, or −1. State 0 is the start.</param>
    /// <param name="tags">The tag of each state, or −1.</param>
    public CharDfa(int[] lows, int[] next, int[] tags)
    {
        _lows = lows;
        _next = next;
        _tags = tags;
        _weights = new int[lows.Length];
        for (var i = 0; i < lows.Length; i++)
        {
            _weights[i] = ShortestIn(lows[i], High(i));
        }

        _distinctTags = [.. tags.Where(tag => tag >= 0).Distinct()];
        _minCharacters = Distances(null, null);
        MostCharactersNeeded = _minCharacters.Where(distance => distance != Never).DefaultIfEmpty().Max();
        for (var i = 0; i < next.Length; i++)
        {
            if (next[i] >= 0 && _minCharacters[next[i]] == Never)
            {
                next[i] = -1;
            }
        }
    }

    /// <summary>All texts.</summary>
    public static CharDfa Everything { get; } = new([0, 0xD800, 0xE000], [0, -1, 0], [0]);

    /// <summary>Accepts nothing.</summary>
    public bool IsEmpty => _minCharacters[0] == Never;

    public int StateCount => _tags.Length;

    public override int Start => IsEmpty ? -1 : 0;

    public override int Step(int state, int codePoint) => _next[(state * _lows.Length) + Class(codePoint)];

    public override int Tag(int state) => _tags[state];

    public override int MinCharacters(int state) => _minCharacters[state];

    public override int MostCharactersNeeded { get; }

    public override int MinCharactersThrough(int state, int low, int high)
    {
        var best = Never;
        for (var i = Class(low); i < _lows.Length && _lows[i] <= high; i++)
        {
            var next = _next[(state * _lows.Length) + i];
            if (next >= 0)
            {
                best = Math.Min(best, _minCharacters[next] + 1);
            }
        }

        return best;
    }

    public override int MinBytes(int state, int tag) => _minBytes.GetOrAdd(tag, wanted => Distances(_weights, wanted))[state];

    public override IReadOnlyList<int> Tags(int state)
        => _distinctTags.Length == 1 ? _distinctTags : [.. _distinctTags.Where(tag => MinBytes(state, tag) != Never)];

    public override bool IsBroad(int state)
    {
        var characters = 0L;
        for (var i = 0; i < _lows.Length; i++)
        {
            characters += _next[(state * _lows.Length) + i] >= 0 ? High(i) - _lows[i] + 1 : 0;
        }

        return characters > 8;
    }

    public bool Accepts(string text)
    {
        var state = Start;
        foreach (var rune in text.EnumerateRunes())
        {
            state = state < 0 ? -1 : Step(state, rune.Value);
        }

        return state >= 0 && _tags[state] >= 0;
    }

    /// <summary>The longest accepted text, or <see cref="CharAutomaton.Never"/> where there is none.</summary>
    public int MaxCharacters()
    {
        if (IsEmpty)
        {
            return 0;
        }

        // Longest path in an acyclic graph, found in an order of finishing; a cycle means that there is no bound.
        var longest = new int[StateCount];
        var colour = new byte[StateCount];
        var stack = new Stack<(int State, int Class)>();
        stack.Push((0, 0));
        colour[0] = 1;
        while (stack.TryPop(out var top))
        {
            var (state, index) = top;
            if (index == _lows.Length)
            {
                colour[state] = 2;
                continue;
            }

            stack.Push((state, index + 1));
            var next = _next[(state * _lows.Length) + index];
            if (next < 0)
            {
                continue;
            }

            if (colour[next] == 1)
            {
                return Never;
            }

            if (colour[next] == 0)
            {
                // Look at this edge again once the target is done.
                stack.Pop();
                stack.Push((state, index));
                colour[next] = 1;
                stack.Push((next, 0));
                continue;
            }

            longest[state] = Math.Max(longest[state], longest[next] + 1);
        }

        return longest[0];
    }

    /// <summary>Exactly some words.</summary>
    public static CharDfa OfWords(IReadOnlyList<string> words)
    {
        var trie = new WordTrie(words);
        var cuts = new SortedSet<int> { 0, 0xD800, 0xE000 };
        foreach (var character in words.SelectMany(word => word.EnumerateRunes()).Select(rune => rune.Value))
        {
            cuts.Add(character);
            cuts.Add(character + 1);
        }

        var lows = cuts.Where(low => low <= CodePointSet.Max).ToArray();
        return Explore(
            lows,
            0,
            (node, index) => trie.Children(node).TryGetValue(lows[index], out var child) ? child : null,
            node => trie.Word(node) >= 0 ? 0 : -1);
    }

    /// <summary>Combines automata: a text's tag is what <paramref name="tag"/> makes of the tags that the automata give it.</summary>
    public static CharDfa Combine(IReadOnlyList<CharDfa> parts, Func<int[], int> tag)
    {
        var lows = parts.SelectMany(part => part._lows).Distinct().Order().ToArray();
        var classes = parts.Select(part => lows.Select(part.Class).ToArray()).ToArray();
        return Explore(
            lows,
            new Tuple(parts.Select(part => part.Start).ToArray()),
            (state, index) =>
            {
                var next = new int[parts.Count];
                for (var i = 0; i < next.Length; i++)
                {
                    var from = state.States[i];
                    next[i] = from < 0 ? -1 : parts[i]._next[(from * parts[i]._lows.Length) + classes[i][index]];
                }

                // Surrogates are no characters: no automaton steps on them, so a complement must not either.
                return lows[index] is >= 0xD800 and <= 0xDFFF ? null : new Tuple(next);
            },
            state => tag([.. state.States.Select((s, i) => s < 0 ? -1 : parts[i]._tags[s])]));
    }

    public CharDfa Intersect(CharDfa other) => Combine([this, other], tags => tags[0] >= 0 && tags[1] >= 0 ? 0 : -1);

    public CharDfa Complement() => Combine([this], tags => tags[0] >= 0 ? -1 : 0);

    /// <summary>The texts, each with an end behind it; what tag a text has, it keeps.</summary>
    /// <param name="end">The end, whose first letter it has again at most as its last. No text holds it.</param>
    public CharDfa ClosedBy(string end)
    {
        var lows = _lows.Concat(end.SelectMany(letter => new[] { letter, letter + 1 })).Distinct().Order().ToArray();
        var classes = lows.Select(Class).ToArray();
        return Explore<(int State, int Matched, int Tag)>(
            lows,
            (Start, 0, -1),
            (at, index) =>
            {
                var next = at.State < 0 ? -1 : _next[(at.State * _lows.Length) + classes[index]];
                if (at.Matched > 0 && at.Matched < end.Length && lows[index] == end[at.Matched])
                {
                    return (at.Matched + 1 == end.Length ? -1 : next, at.Matched + 1, at.Tag);
                }

                return lows[index] == end[0] && at.State >= 0 && _tags[at.State] >= 0 ? (end.Length == 1 ? -1 : next, 1, _tags[at.State])
                    : next >= 0 ? (next, 0, -1)
                    : null;
            },
            at => at.Matched == end.Length ? at.Tag : -1);
    }

    /// <summary>Keeps the texts that have so many characters.</summary>
    public CharDfa WithLength(int min, int max)
    {
        var cap = max == Never ? min : max + 1;
        return Explore(
            _lows,
            (State: Start, Count: 0),
            (state, index) =>
            {
                var next = state.State < 0 ? -1 : _next[(state.State * _lows.Length) + index];
                var count = Math.Min(state.Count + 1, cap);
                return next < 0 || (max != Never && count > max) ? null : (next, count);
            },
            state => state.State >= 0 && state.Count >= min ? _tags[state.State] : -1);
    }

    /// <summary>Builds the table of all states that can be reached.</summary>
    public static CharDfa Explore<TState>(int[] lows, TState start, Func<TState, int, TState?> step, Func<TState, int> tag)
        where TState : struct
    {
        var ids = new Dictionary<TState, int> { [start] = 0 };
        var order = new List<TState> { start };
        var next = new List<int>();
        var tags = new List<int>();
        for (var i = 0; i < order.Count; i++)
        {
            tags.Add(tag(order[i]));
            for (var c = 0; c < lows.Length; c++)
            {
                if (step(order[i], c) is not { } target)
                {
                    next.Add(-1);
                    continue;
                }

                if (!ids.TryGetValue(target, out var id))
                {
                    id = order.Count;
                    if (id >= MaxStates)
                    {
                        throw new ConstraintException($"The automaton of a pattern needs more than {MaxStates} states", "pattern", null, "Use smaller repeat counts, or fewer patterns at once.");
                    }

                    ids.Add(target, id);
                    order.Add(target);
                }

                next.Add(id);
            }
        }

        return new CharDfa(lows, [.. next], [.. tags]);
    }

    private static int ShortestIn(int low, int high)
    {
        var best = EncodedLength(low);
        foreach (var candidate in (ReadOnlySpan<int>)['\b', ' ', '!', '#', ']', 0x80, 0x800, 0x10000])
        {
            best = candidate >= low && candidate <= high ? Math.Min(best, EncodedLength(candidate)) : best;
        }

        return best;
    }

    private int Class(int codePoint)
    {
        var index = Array.BinarySearch(_lows, codePoint);
        return index >= 0 ? index : ~index - 1;
    }

    private int High(int index) => index + 1 < _lows.Length ? _lows[index + 1] - 1 : CodePointSet.Max;

    /// <summary>The distance of each state to an accepting one of a tag (or any), each step having the weight of its class (or 1).</summary>
    private int[] Distances(int[]? weights, int? tag)
    {
        var into = new List<(int From, int Weight)>?[_tags.Length];
        for (var state = 0; state < _tags.Length; state++)
        {
            for (var c = 0; c < _lows.Length; c++)
            {
                var target = _next[(state * _lows.Length) + c];
                if (target >= 0)
                {
                    (into[target] ??= []).Add((state, weights?[c] ?? 1));
                }
            }
        }

        var distances = new int[_tags.Length];
        Array.Fill(distances, Never);
        var queue = new PriorityQueue<int, int>();
        for (var state = 0; state < _tags.Length; state++)
        {
            if (tag is { } wanted ? _tags[state] == wanted : _tags[state] >= 0)
            {
                distances[state] = 0;
                queue.Enqueue(state, 0);
            }
        }

        while (queue.TryDequeue(out var state, out var distance))
        {
            if (distance > distances[state])
            {
                continue;
            }

            foreach (var (from, weight) in into[state] ?? [])
            {
                if (distance + weight < distances[from])
                {
                    distances[from] = distance + weight;
                    queue.Enqueue(from, distance + weight);
                }
            }
        }

        return distances;
    }

    private readonly struct Tuple(int[] states) : IEquatable<Tuple>
    {
        public int[] States { get; } = states;

        public bool Equals(Tuple other) => States.AsSpan().SequenceEqual(other.States);

        public override bool Equals(object? obj) => obj is Tuple other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var state in States)
            {
                hash.Add(state);
            }

            return hash.ToHashCode();
        }
    }
}
