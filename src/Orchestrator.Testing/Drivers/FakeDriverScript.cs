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
