using System.Text;

namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>A vocabulary's special tokens by their texts.</summary>
internal sealed class SpecialTokens
{
    private readonly Dictionary<string, int> _tokens = new(StringComparer.Ordinal);
    private readonly SpecialTextSet _texts;

    public SpecialTokens(ITokenVocabulary vocabulary)
    {
        for (var token = 0; token < vocabulary.Size; token++)
        {
            if (vocabulary.GetSpecialText(token) is { } text && TokenSpelling.IsMarked(vocabulary, token))
            {
                _tokens.TryAdd(text, token);
            }
        }

        _texts = new SpecialTextSet(_tokens.Keys);
    }

    /// <summary>The token that a text names, or null.</summary>
    public int? Find(string text) => _tokens.TryGetValue(text, out var token) ? token : null;

    /// <summary>The bytes of a text in which the texts of special tokens mean those tokens.</summary>
    public byte[] Spell(string markup)
    {
        var bytes = new List<byte>();
        var rest = markup.AsSpan();
        while (_texts.IndexIn(rest) is var at and >= 0)
        {
            var special = _texts.PrefixOf(rest[at..])!;
            bytes.AddRange(Encoding.UTF8.GetBytes(rest[..at].ToString()));
            bytes.AddRange(TokenSpelling.Spell(_tokens[special]));
            rest = rest[(at + special.Length)..];
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(rest.ToString()));
        return [.. bytes];
    }
}
