namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>A set of words as a trie of characters, each with its index.</summary>
internal sealed class WordTrie
{
    private readonly List<SortedList<int, int>> _children = [[]];
    private readonly List<int> _words = [-1];
    private readonly List<int> _bytes = [0];
    private readonly List<int> _ends = [];

    public WordTrie(IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var node = 0;
            foreach (var rune in words[i].EnumerateRunes())
            {
                if (!_children[node].TryGetValue(rune.Value, out var child))
                {
                    child = _children.Count;
                    _children.Add([]);
                    _words.Add(-1);
                    _bytes.Add(_bytes[node] + CharAutomaton.EncodedLength(rune.Value));
                    _children[node].Add(rune.Value, child);
                }

                node = child;
            }

            _words[node] = i;
            _ends.Add(node);
        }
    }

    public int Count => _children.Count;

    public SortedList<int, int> Children(int node) => _children[node];

    /// <summary>The word that ends at a node, or −1.</summary>
    public int Word(int node) => _words[node];

    /// <summary>The bytes of the JSON spelling from the root to a node.</summary>
    public int Bytes(int node) => _bytes[node];

    public int End(int word) => _ends[word];
}

/// <summary>
/// The names that a property can have at some place in an object: some of the declared ones (tag
/// <see cref="WordTag"/> + index), and perhaps any that is not declared, as another automaton has it.
/// With no others it is a plain set of words.
/// </summary>
internal sealed class KeyAutomaton : CharAutomaton
{
    /// <summary>Added to the index of a declared name.</summary>
    public const int WordTag = 1 << 20;

    private readonly WordTrie _trie;
    private readonly Func<int, bool> _isAllowed;
    private readonly CharacterDfa? _others;
    private readonly int[] _otherStates;
    private readonly int[] _minCharacters;
    private readonly IReadOnlyList<int>?[] _tags;

    public KeyAutomaton(WordTrie trie, Func<int, bool> isAllowed, CharacterDfa? others)
    {
        _trie = trie;
        _isAllowed = isAllowed;
        _others = others;
        _otherStates = new int[trie.Count];
        _minCharacters = new int[trie.Count];
        _tags = new IReadOnlyList<int>?[trie.Count];
        Array.Fill(_otherStates, -1);
        _otherStates[0] = others?.Automaton.Start ?? -1;

        // Children have higher numbers than their parents.
        for (var node = 0; node < trie.Count; node++)
        {
            foreach (var (character, child) in trie.Children(node))
            {
                _otherStates[child] = _otherStates[node] < 0 ? -1 : others!.Automaton.Step(_otherStates[node], character);
            }
        }

        for (var node = trie.Count - 1; node >= 0; node--)
        {
            _minCharacters[node] = Tag(node) >= 0 ? 0 : MinThrough(node, 0, 0x10FFFF);
        }
    }

    public bool IsEmpty => _minCharacters[0] == Never;

    public override int Start => 0;

    public override int Step(int state, int codePoint)
    {
        if (_trie.Children(state).TryGetValue(codePoint, out var child))
        {
            return _minCharacters[child] == Never ? -1 : child;
        }

        var other = _otherStates[state] < 0 ? -1 : _others!.Automaton.Step(_otherStates[state], codePoint);
        return other < 0 ? -1 : _trie.Count + other;
    }

    public override int Tag(int state)
    {
        var word = _trie.Word(state);
        return word >= 0
            ? _isAllowed(word) ? WordTag + word : -1
            : _otherStates[state] >= 0 ? _others!.Automaton.Tag(_otherStates[state]) : -1;
    }

    public override int MinCharacters(int state) => _minCharacters[state];

    public override int MostCharactersNeeded
        => Math.Max(_others?.Automaton.MostCharactersNeeded ?? 0, _minCharacters.Where(distance => distance != Never).DefaultIfEmpty().Max());

    public override int MinCharactersThrough(int state, int low, int high) => MinThrough(state, low, high);

    public override bool IsBroad(int state) => _otherStates[state] >= 0;

    public override (CharacterDfa Dfa, int State)? Redirect(int state)
        => state >= _trie.Count ? (_others!, state - _trie.Count) : null;

    public override (CharacterDfa Dfa, int State)? Similar(int state)
        => _otherStates[state] >= 0 ? (_others!, _otherStates[state]) : null;

    public override IReadOnlyList<int> Tags(int state)
    {
        if (_tags[state] is { } known)
        {
            return known;
        }

        var tags = new SortedSet<int>();
        if (Tag(state) is >= 0 and var own)
        {
            tags.Add(own);
        }

        foreach (var (_, child) in _trie.Children(state))
        {
            tags.UnionWith(Tags(child));
        }

        if (_otherStates[state] >= 0)
        {
            tags.UnionWith(_others!.Automaton.Tags(_otherStates[state]).Where(tag => MinBytes(state, tag) != Never));
        }

        return _tags[state] = [.. tags];
    }

    public override int MinBytes(int state, int tag)
    {
        if (tag >= WordTag)
        {
            return Tags(state).Contains(tag) ? _trie.Bytes(_trie.End(tag - WordTag)) - _trie.Bytes(state) : Never;
        }

        if (_otherStates[state] < 0)
        {
            return Never;
        }

        if (Tag(state) == tag)
        {
            return 0;
        }

        var best = Never;
        foreach (var (character, child) in _trie.Children(state))
        {
            var below = MinBytes(child, tag);
            best = below == Never ? best : Math.Min(best, below + EncodedLength(character));
        }

        // A letter outside the trie will nearly always do.
        for (var character = 0x20; character < (best == Never ? 0x3000 : 0x7F); character++)
        {
            var next = _trie.Children(state).ContainsKey(character) ? -1 : _others!.Automaton.Step(_otherStates[state], character);
            var below = next < 0 ? Never : _others!.Automaton.MinBytes(next, tag);
            best = below == Never ? best : Math.Min(best, below + EncodedLength(character));
        }

        return best;
    }

    private int MinThrough(int node, int low, int high)
    {
        var best = Never;
        var from = low;
        foreach (var (character, child) in _trie.Children(node))
        {
            if (character < low || character > high)
            {
                continue;
            }

            best = _minCharacters[child] == Never ? best : Math.Min(best, _minCharacters[child] + 1);
            best = Math.Min(best, OtherThrough(node, from, character - 1));
            from = character + 1;
        }

        return Math.Min(best, OtherThrough(node, from, high));
    }

    private int OtherThrough(int node, int low, int high)
    {
        if (low > high || _otherStates[node] < 0)
        {
            return Never;
        }

        if (low < 0xD800 && high > 0xDFFF)
        {
            return Math.Min(OtherThrough(node, low, 0xD7FF), OtherThrough(node, 0xE000, high));
        }

        return _others!.Automaton.MinCharactersThrough(_otherStates[node], low, high);
    }
}
