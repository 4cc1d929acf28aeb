using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Gbnf;

/// <summary>
/// Turns a GBNF grammar into productions. What does not recurse is regular and becomes one automaton, as large as it can be,
/// so that the stack and the alternatives are left to what needs them.
/// </summary>
internal sealed class GbnfGrammar
{
    private const int MaxInlined = 20_000;
    private const int Impossible = int.MaxValue / 4;

    private readonly Dictionary<string, GbnfNode> _rules;
    private readonly Dictionary<string, ChoiceProduction> _productions = new(StringComparer.Ordinal);
    private readonly List<ChoiceProduction> _all = [];
    private readonly HashSet<string> _recursive = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _sizes = new(StringComparer.Ordinal);

    private GbnfGrammar(Dictionary<string, GbnfNode> rules) => _rules = rules;

    public static Production Compile(string text, string root)
    {
        var grammar = new GbnfGrammar(GbnfParser.Parse(text));
        if (!grammar._rules.ContainsKey(root))
        {
            throw new ConstraintException($"The grammar has no rule '{root}'", null, null, $"Define it: {root} ::= …");
        }

        foreach (var rule in grammar._rules.Values.SelectMany(rule => rule.Rules()))
        {
            if (!grammar._rules.ContainsKey(rule.Name))
            {
                throw new ConstraintException($"The grammar uses the rule '{rule.Name}', which is not defined", null, $"offset {rule.Offset}");
            }
        }

        grammar.FindRecursion();
        grammar.RefuseLeftRecursion();
        var start = grammar.Choice(new GbnfNode.Rule(root, 0));
        while (grammar._all.Aggregate(false, (changed, production) => Relax(production) | changed))
        {
        }

        foreach (var production in grammar._all)
        {
            production.Alternatives = [.. production.Alternatives.Where(symbols => Length(symbols) < Impossible)];
        }

        return start.Shortest < Impossible ? start : throw new ConstraintException($"The grammar's rule '{root}' never ends", null, null, "Give each recursive rule an alternative without itself.");
    }

    private static int Length(IReadOnlyList<Symbol> symbols) => (int)Math.Min(Impossible, symbols.Sum(symbol => (long)symbol.Shortest));

    private static bool Relax(ChoiceProduction production)
    {
        var best = production.Alternatives.Count == 0 ? Impossible : production.Alternatives.Min(Length);
        var changed = best != production.ShortestAlternative;
        production.ShortestAlternative = best;
        return changed;
    }

    /// <summary>Finds the rules that can reach themselves; the others are regular.</summary>
    private void FindRecursion()
    {
        foreach (var name in _rules.Keys)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var stack = new Stack<string>(_rules[name].Rules().Select(rule => rule.Name));
            while (stack.TryPop(out var next))
            {
                if (next == name)
                {
                    _recursive.Add(name);
                    break;
                }

                if (seen.Add(next))
                {
                    foreach (var rule in _rules[next].Rules())
                    {
                        stack.Push(rule.Name);
                    }
                }
            }
        }
    }

    private void RefuseLeftRecursion()
    {
        var nullable = new HashSet<string>(StringComparer.Ordinal);
        while (_rules.Aggregate(false, (changed, rule) => (IsNullable(rule.Value, nullable) && nullable.Add(rule.Key)) | changed))
        {
        }

        foreach (var name in _recursive)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var stack = new Stack<string>(First(_rules[name], nullable));
            while (stack.TryPop(out var next))
            {
                if (next == name)
                {
                    throw new ConstraintException($"The grammar's rule '{name}' begins with itself (left recursion)", null, null, "Write it as a repetition, or put the recursion last.");
                }

                if (seen.Add(next))
                {
                    foreach (var first in First(_rules[next], nullable))
                    {
                        stack.Push(first);
                    }
                }
            }
        }
    }

    private static bool IsNullable(GbnfNode node, HashSet<string> nullable) => node switch
    {
        GbnfNode.Rule rule => nullable.Contains(rule.Name),
        GbnfNode.Sequence sequence => sequence.Parts.All(part => IsNullable(part, nullable)),
        GbnfNode.Choice choice => choice.Options.Any(option => IsNullable(option, nullable)),
        GbnfNode.Repeat repeat => repeat.Min == 0 || IsNullable(repeat.Part, nullable),
        _ => false,
    };

    /// <summary>The rules with which a text of an expression can begin.</summary>
    private static IEnumerable<string> First(GbnfNode node, HashSet<string> nullable)
    {
        switch (node)
        {
            case GbnfNode.Rule rule:
                return [rule.Name];
            case GbnfNode.Choice choice:
                return choice.Options.SelectMany(option => First(option, nullable));
            case GbnfNode.Repeat repeat:
                return First(repeat.Part, nullable);
            case GbnfNode.Sequence sequence:
                var firsts = new List<string>();
                foreach (var part in sequence.Parts)
                {
                    firsts.AddRange(First(part, nullable));
                    if (!IsNullable(part, nullable))
                    {
                        break;
                    }
                }

                return firsts;
            default:
                return [];
        }
    }

    /// <summary>The size of a regular expression for a node with all rules put in; <see cref="MaxInlined"/> where it recurses.</summary>
    private int Size(GbnfNode node)
    {
        var size = node switch
        {
            GbnfNode.Rule rule => RuleSize(rule.Name),
            GbnfNode.Sequence sequence => sequence.Parts.Sum(part => (long)Size(part)),
            GbnfNode.Choice choice => 1 + choice.Options.Sum(option => (long)Size(option)),
            GbnfNode.Repeat repeat => 1 + ((long)Size(repeat.Part) * Math.Max(1, Math.Max(repeat.Min, repeat.Max))),
            _ => 1,
        };
        return (int)Math.Min(size, MaxInlined);
    }

    private int RuleSize(string name)
    {
        if (_recursive.Contains(name))
        {
            return MaxInlined;
        }

        if (!_sizes.TryGetValue(name, out var size))
        {
            size = Size(_rules[name]);
            _sizes.Add(name, size);
        }

        return size;
    }

    private RegexNode Regular(GbnfNode node) => node switch
    {
        GbnfNode.Set set => new RegexNode.Set(set.Characters),
        GbnfNode.Rule rule => Regular(_rules[rule.Name]),
        GbnfNode.Sequence sequence => new RegexNode.Sequence([.. sequence.Parts.Select(Regular)]),
        GbnfNode.Choice choice => new RegexNode.Choice([.. choice.Options.Select(Regular)]),
        GbnfNode.Repeat repeat => new RegexNode.Repeat(Regular(repeat.Part), repeat.Min, repeat.Max),
        _ => throw new InvalidOperationException($"Unknown node {node.GetType().Name}."),
    };

    /// <summary>The automaton of a regular part, or null where it would be too large, or has no text.</summary>
    private Terminal? Terminal(GbnfNode node)
    {
        try
        {
            var texts = RegexCompiler.Compile("grammar", Regular(node), search: false);
            return texts.IsEmpty ? null : new Terminal(new CharacterDfa(texts, TextEncoding.Raw, false).Start);
        }
        catch (ConstraintException)
        {
            return null;
        }
    }

    private ChoiceProduction Choice(GbnfNode node)
    {
        if (node is GbnfNode.Rule rule)
        {
            if (!_productions.TryGetValue(rule.Name, out var known))
            {
                known = New();
                _productions.Add(rule.Name, known);
                known.Alternatives = Alternatives(_rules[rule.Name]);
            }

            return known;
        }

        var production = New();
        production.Alternatives = Alternatives(node);
        return production;
    }

    private ChoiceProduction New()
    {
        var production = new ChoiceProduction { ShortestAlternative = Impossible };
        _all.Add(production);
        return production;
    }

    private IReadOnlyList<IReadOnlyList<Symbol>> Alternatives(GbnfNode node)
    {
        if (Size(node) < MaxInlined && Terminal(node) is { } terminal)
        {
            return [[terminal]];
        }

        return node switch
        {
            GbnfNode.Choice choice => [.. choice.Options.SelectMany(Alternatives)],
            GbnfNode.Sequence sequence => [Sequence(sequence.Parts)],
            GbnfNode.Repeat repeat => [Repeat(repeat)],
            GbnfNode.Set { Characters.IsEmpty: true } => [],
            _ => [[Choice(node)]],
        };
    }

    /// <summary>A sequence, its neighbouring regular parts joined.</summary>
    private List<Symbol> Sequence(IReadOnlyList<GbnfNode> parts)
    {
        var symbols = new List<Symbol>();
        for (var i = 0; i < parts.Count; i++)
        {
            var run = i;
            long size = 0;
            while (run < parts.Count && (size += Size(parts[run])) < MaxInlined)
            {
                run++;
            }

            if (run > i && Terminal(new GbnfNode.Sequence([.. parts.Skip(i).Take(run - i)])) is { } terminal)
            {
                symbols.Add(terminal);
                i = run - 1;
            }
            else
            {
                symbols.Add(Choice(parts[i]));
            }
        }

        return symbols;
    }

    private List<Symbol> Repeat(GbnfNode.Repeat repeat)
    {
        var part = Choice(repeat.Part);
        var symbols = Enumerable.Repeat<Symbol>(part, repeat.Min).ToList();
        if (repeat.Max < 0)
        {
            var more = New();
            more.Alternatives = [[], [part, more]];
            symbols.Add(more);
        }
        else
        {
            ChoiceProduction? more = null;
            for (var i = repeat.Min; i < repeat.Max; i++)
            {
                var optional = New();
                optional.Alternatives = [[], more is null ? [part] : [part, more]];
                more = optional;
            }

            if (more is not null)
            {
                symbols.Add(more);
            }
        }

        return symbols;
    }
}
