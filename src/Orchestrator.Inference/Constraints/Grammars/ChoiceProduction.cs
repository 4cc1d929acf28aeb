namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>Alternatives, each a sequence of symbols, as in a context-free grammar. The alternatives may be set late, for recursion.</summary>
internal sealed class ChoiceProduction : Production
{
    /// <summary>The sequences to choose from.</summary>
    public IReadOnlyList<IReadOnlyList<Symbol>> Alternatives { get; set; } = [];

    public override int Shortest => ShortestAlternative;

    /// <summary>The fewest bytes of any alternative; found by the one who builds the grammar.</summary>
    public int ShortestAlternative { get; set; }

    /// <summary>Positions: A is the alternative (from 1; 0 is the beginning), B the number of its symbols that are done.</summary>
    public override void Expand(Node node, Closure closure)
    {
        if (node.A == 0)
        {
            for (var i = 0; i < Alternatives.Count; i++)
            {
                Continue(node, i + 1, 0, closure);
            }
        }
        else
        {
            Continue(node, node.A, node.B, closure);
        }
    }

    public override int MinBytes(Node node)
        => node.A == 0 ? Shortest : Alternatives[node.A - 1].Skip(node.B).Sum(symbol => symbol.Shortest);

    private void Continue(Node node, int alternative, int done, Closure closure)
    {
        var symbols = Alternatives[alternative - 1];
        if (done == symbols.Count)
        {
            closure.Follow(node.Parent!);
            return;
        }

        // After the last symbol, what follows is what follows this production: the stack does not grow.
        var after = done + 1 == symbols.Count ? node.Parent! : node.Move(alternative, done + 1);
        if (symbols[done].Terminal is { } terminal)
        {
            closure.Scan(terminal, after);
        }
        else
        {
            closure.Follow(after.Child(symbols[done].Production!));
        }
    }
}
