namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>A part of a production: a terminal or another production.</summary>
internal readonly record struct Symbol(Terminal? Terminal, Production? Production)
{
    /// <summary>The fewest bytes of a text of this part.</summary>
    public int Shortest => Terminal is not null ? Terminal.Shortest : Production!.Shortest;

    public static implicit operator Symbol(Terminal terminal) => new(terminal, null);

    public static implicit operator Symbol(Production production) => new(null, production);
}
