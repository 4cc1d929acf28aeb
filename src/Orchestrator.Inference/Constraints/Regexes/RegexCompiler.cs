using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Regexes;

/// <summary>
/// Compiles regular expressions to automata: Thompson's construction, then the subset construction over classes of
/// characters that no set of the pattern tells apart.
/// </summary>
internal sealed class RegexCompiler
{
    private const int MaxNodes = 200_000;

    private readonly string _pattern;
    private readonly List<CodePointSet?> _sets = [];
    private readonly List<int> _to = [];
    private readonly List<List<int>> _epsilons = [];
    private readonly List<Assertion> _assertions = [];

    private RegexCompiler(string pattern) => _pattern = pattern;

    private enum Assertion : byte
    {
        None,
        Start,
        End,
    }

    /// <summary>The texts that the pattern matches as a whole.</summary>
    public static CharDfa CompileWhole(string pattern) => Compile(pattern, RegexParser.Parse(pattern), search: false);

    /// <summary>The texts in which the pattern is found anywhere, as JSON schema has it.</summary>
    public static CharDfa CompileSearch(string pattern) => Compile(pattern, RegexParser.Parse(pattern), search: true);

    /// <summary>Compiles a parsed expression.</summary>
    public static CharDfa Compile(string pattern, RegexNode node, bool search)
    {
        // ^(?=A)(?!B)C: what C matches, and begins as A, and not as B.
        if (node is RegexNode.Sequence { Parts: var parts } && parts.Any(part => part is RegexNode.Ahead))
        {
            var first = parts[0] is RegexNode.AtStart ? 1 : search ? parts.Count : 0;
            var rest = first;
            while (rest < parts.Count && parts[rest] is RegexNode.Ahead)
            {
                rest++;
            }

            if (rest > first)
            {
                var result = Compile(pattern, new RegexNode.Sequence([new RegexNode.AtStart(), .. parts.Skip(rest)]), search);
                foreach (var ahead in parts.Take(first..rest).Cast<RegexNode.Ahead>())
                {
                    var begins = Compile(pattern, new RegexNode.Sequence([new RegexNode.AtStart(), ahead.Part]), search: true);
                    result = result.Intersect(ahead.Negative ? begins.Complement() : begins);
                }

                return result;
            }
        }

        var compiler = new RegexCompiler(pattern);
        var end = compiler.Node();
        if (search)
        {
            compiler._sets[end] = CodePointSet.All;
            compiler._to[end] = end;
        }

        var start = compiler.Add(node, end);
        if (search)
        {
            var loop = compiler.Node();
            compiler._sets[loop] = CodePointSet.All;
            compiler._to[loop] = loop;
            compiler._epsilons[loop].Add(start);
            start = loop;
        }

        return compiler.Determinize(start, end);
    }

    private int Node()
    {
        if (_sets.Count >= MaxNodes)
        {
            throw new ConstraintException($"The regular expression '{_pattern}' is too large", "pattern", null, "Use smaller repeat counts.");
        }

        _sets.Add(null);
        _to.Add(-1);
        _epsilons.Add([]);
        _assertions.Add(Assertion.None);
        return _sets.Count - 1;
    }

    /// <summary>Adds nodes that match an expression and then go on at <paramref name="end"/>; returns the first.</summary>
    private int Add(RegexNode node, int end)
    {
        switch (node)
        {
            case RegexNode.Empty:
                return end;
            case RegexNode.Set { Characters: var set }:
                var consuming = Node();
                _sets[consuming] = set;
                _to[consuming] = end;
                return consuming;
            case RegexNode.Sequence { Parts: var parts }:
                for (var i = parts.Count - 1; i >= 0; i--)
                {
                    end = Add(parts[i], end);
                }

                return end;
            case RegexNode.Choice { Options: var options }:
                var choice = Node();
                foreach (var option in options)
                {
                    _epsilons[choice].Add(Add(option, end));
                }

                return choice;
            case RegexNode.Repeat { Part: var part, Min: var min, Max: var max }:
                if (max < 0)
                {
                    var loop = Node();
                    _epsilons[loop].Add(end);
                    _epsilons[loop].Add(Add(part, loop));
                    end = loop;
                }
                else
                {
                    var exit = end;
                    for (var i = min; i < max; i++)
                    {
                        var optional = Node();
                        _epsilons[optional].Add(exit);
                        _epsilons[optional].Add(Add(part, end));
                        end = optional;
                    }
                }

                for (var i = 0; i < min; i++)
                {
                    end = Add(part, end);
                }

                return end;
            case RegexNode.AtStart or RegexNode.AtEnd:
                var assertion = Node();
                _assertions[assertion] = node is RegexNode.AtStart ? Assertion.Start : Assertion.End;
                _epsilons[assertion].Add(end);
                return assertion;
            default:
                throw new ConstraintException($"The regular expression '{_pattern}' has a lookahead that is not at its anchored beginning, which can't be enforced", "pattern");
        }
    }

    private CharDfa Determinize(int start, int end)
    {
        var cuts = new SortedSet<int> { 0, 0xD800, 0xE000 };
        foreach (var set in _sets.Where(set => set is not null).Distinct())
        {
            foreach (var (low, high) in set!.Ranges)
            {
                cuts.Add(low);
                cuts.Add(high + 1);
            }
        }

        cuts.Remove(CodePointSet.Max + 1);
        var lows = cuts.ToArray();
        var classesOf = new Dictionary<CodePointSet, bool[]>();
        var classes = _sets.Select(set =>
        {
            if (set is null)
            {
                return null;
            }

            if (!classesOf.TryGetValue(set, out var holds))
            {
                holds = new bool[lows.Length];
                foreach (var (low, high) in set.Ranges)
                {
                    for (var i = Array.BinarySearch(lows, low); i < lows.Length && lows[i] <= high; i++)
                    {
                        holds[i] = true;
                    }
                }

                classesOf.Add(set, holds);
            }

            return holds;
        }).ToArray();
        var scratch = new HashSet<(int, bool)>();
        var first = Close([start], atStart: true, scratch, end);
        return CharDfa.Explore(
            lows,
            first,
            (state, c) =>
            {
                var targets = new HashSet<int>();
                foreach (var node in state.Nodes)
                {
                    if (classes[node]![c])
                    {
                        targets.Add(_to[node]);
                    }
                }

                return targets.Count == 0 ? null : Close(targets, atStart: false, scratch, end);
            },
            state => state.Accepts ? 0 : -1);
    }

    /// <summary>
    /// The consuming nodes that can be reached without consuming, and whether the end can. Behind an end anchor
    /// nothing can be consumed, so only the end counts there.
    /// </summary>
    private NodeSet Close(IEnumerable<int> nodes, bool atStart, HashSet<(int Node, bool Ended)> seen, int end)
    {
        seen.Clear();
        var stack = new Stack<(int Node, bool Ended)>(nodes.Select(node => (node, false)));
        var consuming = new SortedSet<int>();
        var accepts = false;
        while (stack.TryPop(out var top))
        {
            if (!seen.Add(top))
            {
                continue;
            }

            var (node, ended) = top;
            accepts |= node == end;
            if (_sets[node] is not null && !ended)
            {
                consuming.Add(node);
            }

            if (_assertions[node] == Assertion.Start && !atStart)
            {
                continue;
            }

            foreach (var next in _epsilons[node])
            {
                stack.Push((next, ended || _assertions[node] == Assertion.End));
            }
        }

        return new NodeSet([.. consuming], accepts);
    }

    private readonly struct NodeSet : IEquatable<NodeSet>
    {
        private readonly int _hash;

        public NodeSet(int[] nodes, bool accepts)
        {
            Nodes = nodes;
            Accepts = accepts;
            var hash = default(HashCode);
            hash.Add(accepts);
            foreach (var node in nodes)
            {
                hash.Add(node);
            }

            _hash = hash.ToHashCode();
        }

        public int[] Nodes { get; }

        public bool Accepts { get; }

        public bool Equals(NodeSet other) => Accepts == other.Accepts && Nodes.AsSpan().SequenceEqual(other.Nodes);

        public override bool Equals(object? obj) => obj is NodeSet other && Equals(other);

        public override int GetHashCode() => _hash;
    }
}
