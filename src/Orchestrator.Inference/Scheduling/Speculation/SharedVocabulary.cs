using Orchestrator.Core;
using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>Whether two models have one vocabulary, so that one can guess ahead for the other.</summary>
internal static class SharedVocabulary
{
    /// <summary>Models of one family may be padded to different sizes; what is beyond the shorter is not used.</summary>
    private const int MostPadding = 128;

    /// <summary>Checks that the draft model's tokens are the model's.</summary>
    /// <param name="model">The model.</param>
    /// <param name="draft">The draft model.</param>
    /// <returns>How many tokens both have.</returns>
    /// <exception cref="OrchestratorException">They are not; the error names the first that differs.</exception>
    public static int Check(IModelDriver model, IModelDriver draft)
    {
        var (a, b) = (model.Tokenizer, draft.Tokenizer);
        if (Math.Abs(a.Size - b.Size) > MostPadding)
        {
            throw Differs(model, draft, $"one has {a.Size} tokens, the other {b.Size}");
        }

        var common = Math.Min(a.Size, b.Size);
        for (var token = 0; token < common; token++)
        {
            if (!a.GetBytes(token).SequenceEqual(b.GetBytes(token))
                || a.IsSpecial(token) != b.IsSpecial(token)
                || a.IsEndOfGeneration(token) != b.IsEndOfGeneration(token))
            {
                throw Differs(model, draft, $"token {token} is not the same");
            }
        }

        foreach (var text in a.SpecialTexts)
        {
            if (!a.Tokenize(text, parseSpecial: true).SequenceEqual(b.Tokenize(text, parseSpecial: true)))
            {
                throw Differs(model, draft, $"{text} is not the same token");
            }
        }

        return common;
    }

    private static OrchestratorException Differs(IModelDriver model, IModelDriver draft, string how) => new(
        ErrorKind.Usage,
        $"{draft.Info.Name} cannot draft for {model.Info.Name}: their vocabularies differ ({how}).",
        "Name a draft model of the same family, or none.");
}
