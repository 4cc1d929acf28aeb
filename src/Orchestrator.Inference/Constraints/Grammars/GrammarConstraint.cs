using System.Collections.Concurrent;
using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>A grammar, bound to a vocabulary.</summary>
internal sealed class GrammarConstraint(ITokenVocabulary vocabulary, TokenTrie trie, Production root) : ITokenConstraint
{
    private readonly ConcurrentBag<MaskBuilder> _builders = [];

    public ITokenVocabulary Vocabulary => vocabulary;

    public TokenTrie Trie => trie;

    public IConstraintMatcher Start() => new GrammarMatcher(this, Node.Bottom().Child(root));

    public MaskBuilder RentBuilder() => _builders.TryTake(out var builder) ? builder : new MaskBuilder(trie);

    public void ReturnBuilder(MaskBuilder builder) => _builders.Add(builder);
}
