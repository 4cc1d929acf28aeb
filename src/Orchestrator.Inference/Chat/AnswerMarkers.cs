using System.Text;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// The special tokens that say what the parts of an answer are. In an answer that is being read their texts mean those
/// tokens, as in a prompt: where a model spells such a text letter by letter, a mark keeps it apart.
/// </summary>
internal sealed class AnswerMarkers
{
    private readonly Dictionary<int, string> _texts = [];
    private readonly SpecialTextSet _set;

    /// <summary>Finds the tokens.</summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="texts">The texts of what may be a special token; those that are none stay text.</param>
    public AnswerMarkers(ITokenizer tokenizer, IEnumerable<string> texts)
    {
        foreach (var text in texts.Intersect(tokenizer.SpecialTexts))
        {
            if (tokenizer.Tokenize(text, parseSpecial: true) is [var token])
            {
                _texts[token] = text;
            }
        }

        _set = new SpecialTextSet(_texts.Values);
    }

    /// <summary>The text that stands for a token, or null where it is no marker.</summary>
    public string? TextOf(int token) => _texts.GetValueOrDefault(token);

    /// <summary>Keeps what spells a marker in an answer's text from being read as one.</summary>
    /// <param name="text">The text as far as it is known.</param>
    /// <returns>The text with marks, and how many letters at its end are left out, because they may begin a marker's text.</returns>
    public (string Ready, int Held) Break(string text)
    {
        text = ContentMarks.Strip(text);
        var held = _set.BeginningAtEndOf(text);
        return (ContentMarks.Apart(text[..^held], _set), held);
    }

    /// <summary>What of a text can be shown: neither marks nor markers that say nothing where they stand.</summary>
    public string Plain(string text)
    {
        StringBuilder? plain = null;
        var at = 0;
        while (_set.IndexIn(text.AsSpan(at)) is var found and >= 0)
        {
            (plain ??= new StringBuilder()).Append(text, at, found);
            at += found + _set.PrefixOf(text.AsSpan(at + found))!.Length;
        }

        return ContentMarks.Strip(plain is null ? text : plain.Append(text, at, text.Length - at).ToString());
    }
}
