using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Gbnf;

/// <summary>A parsed expression of a GBNF rule.</summary>
internal abstract record GbnfNode
{
    public sealed record Set(CodePointSet Characters) : GbnfNode;

    public sealed record Rule(string Name, int Offset) : GbnfNode;

    public sealed record Sequence(IReadOnlyList<GbnfNode> Parts) : GbnfNode;

    public sealed record Choice(IReadOnlyList<GbnfNode> Options) : GbnfNode;

    /// <summary>Max is −1 for no limit.</summary>
    public sealed record Repeat(GbnfNode Part, int Min, int Max) : GbnfNode;

    /// <summary>The rules that occur in an expression.</summary>
    public IEnumerable<Rule> Rules() => this switch
    {
        Rule rule => [rule],
        Sequence sequence => sequence.Parts.SelectMany(part => part.Rules()),
        Choice choice => choice.Options.SelectMany(option => option.Rules()),
        Repeat repeat => repeat.Part.Rules(),
        _ => [],
    };
}
