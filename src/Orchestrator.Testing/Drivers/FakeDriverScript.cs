using System.Text;

namespace Orchestrator.Testing.Drivers;

/// <summary>Scripts for <see cref="FakeDriverOptions.Script"/>.</summary>
public static class FakeDriverScript
{
    private static readonly byte[] AnswerHeader = "<|im_start|>assistant\n"u8.ToArray();

    /// <summary>
    /// Makes the driver's model answer prompts in ChatML by a function of the prompt. The answer ends with the end of
    /// the message; what the model is made to begin with counts as a part of it.
    /// </summary>
    /// <param name="answer">Gives the answer to a prompt; a pure function.</param>
    /// <returns>The script.</returns>
    public static Func<IReadOnlyList<int>, int?> Answers(Func<string, string> answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var tokenizer = new FakeTokenizer(new FakeDriverOptions().Merges);
        return tokens =>
        {
            var bytes = Decode(tokenizer, tokens);
            var header = bytes.AsSpan().LastIndexOf(AnswerHeader);
            if (header < 0)
            {
                return null;
            }

            var begun = bytes.Length - header - AnswerHeader.Length;
            var wanted = Encoding.UTF8.GetBytes(answer(Encoding.UTF8.GetString(bytes, 0, header)));
            return begun < wanted.Length ? wanted[begun] : FakeTokenizer.MessageEnd;
        };
    }

    /// <summary>
    /// Makes the driver's model answer prompts of a format that is made of special tokens. In an answer their texts are
    /// those tokens, unless a <c>\</c> stands behind the first letter, which is left out.
    /// </summary>
    /// <param name="answer">Gives the answer to a prompt, the header included; a pure function.</param>
    /// <param name="header">What prompts end with. The answer may hold it too.</param>
    /// <param name="specials">See <see cref="FakeDriverOptions.Specials"/>.</param>
    /// <returns>The script. What was made to go another way than the answer is left to chance.</returns>
    public static Func<IReadOnlyList<int>, int?> Answers(Func<string, string> answer, string header, IReadOnlyList<string> specials)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(header);
        var tokenizer = new FakeTokenizer(new FakeDriverOptions().Merges, specials);
        var letters = new FakeTokenizer([], specials);
        return tokens =>
        {
            var all = tokens.SelectMany(t => tokenizer.IsSpecial(t) ? [t] : tokenizer.GetBytes(t).ToArray().Select(b => (int)b)).ToArray();
            var mark = letters.Tokenize(header, parseSpecial: true);
            for (var at = all.AsSpan().IndexOf(mark); at >= 0;)
            {
                var end = at + mark.Length;
                var wanted = answer(Encoding.UTF8.GetString(Decode(letters, all[..end])))
                    .Split('\\').SelectMany(part => letters.Tokenize(part, parseSpecial: true)).ToArray();
                if (all.Length - end <= wanted.Length && wanted.AsSpan().StartsWith(all.AsSpan(end)))
                {
                    return all.Length - end < wanted.Length ? wanted[all.Length - end] : FakeTokenizer.End;
                }

                var next = all.AsSpan(end).IndexOf(mark);
                at = next < 0 ? -1 : end + next;
            }

            return null;
        };
    }

    private static byte[] Decode(FakeTokenizer tokenizer, IReadOnlyList<int> tokens)
    {
        var bytes = new List<byte>(tokens.Count * 2);
        foreach (var token in tokens)
        {
            bytes.AddRange(tokenizer.IsSpecial(token)
                ? Encoding.UTF8.GetBytes(tokenizer.SpecialTexts[token - FakeTokenizer.Begin])
                : tokenizer.GetBytes(token));
        }

        return [.. bytes];
    }
}
