namespace Orchestrator.Inference.Constraints.Regexes;

/// <summary>A parsed regular expression.</summary>
internal abstract record RegexNode
{
    public sealed record Empty : RegexNode;

    public sealed record Set(CodePointSet Characters) : RegexNode;

    public sealed record Sequence(IReadOnlyList<RegexNode> Parts) : RegexNode;

    public sealed record Choice(IReadOnlyList<RegexNode> Options) : RegexNode;

    /// <summary>Max is −1 for no limit.</summary>
    public sealed record Repeat(RegexNode Part, int Min, int Max) : RegexNode;

    public sealed record AtStart : RegexNode;

    public sealed record AtEnd : RegexNode;

    /// <summary>A lookahead; only the ones at the beginning of an anchored pattern can be enforced.</summary>
    public sealed record Ahead(RegexNode Part, bool Negative) : RegexNode;
}
