using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Deciding;

/// <summary>
/// How an option is asked for after the evidence. Where the model has a template, and nothing else was said, the
/// evidence is the user's message and the cue begins the model's answer.
/// </summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="renderAnswer">Lays out a user's message and the beginning of the answer; null where there is no template.</param>
internal sealed class DirectWording(ITokenizer tokenizer, Func<string, string, int[]>? renderAnswer)
{
    private const string DefaultCue = "\nTopic: ";
    internal const int Letters = 26;

    /// <summary>Each option's name after the evidence.</summary>
    /// <param name="question">The question.</param>
    /// <param name="context">What stands before all; the begin token at least where the model has one.</param>
    /// <param name="evidence">What stands in the place of the question's evidence.</param>
    /// <param name="whole">Whether the end of the line is scored with the name: no name is then the beginning of another.</param>
    public IReadOnlyList<ScoreSequence> Names(ChoiceQuestion question, int[] context, string evidence, bool whole)
    {
        var cue = question.DirectCue ?? DefaultCue;
        var end = whole ? "\n" : "";
        var (before, space) = renderAnswer is null || question.Context.Count > 0 || !(question.EvidenceIsRequest || question.DirectCue is null)
            ? Lead(context, evidence + cue)
            : (renderAnswer(evidence, cue.Trim()), cue.EndsWith(' ') ? " " : "");
        return [.. question.Options.Select(option =>
            new ScoreSequence(before, tokenizer.Tokenize(space + ChannelWording.Readable(option.Name) + end, parseSpecial: false)))];
    }

    /// <summary>Each option's letter after the evidence and the list of options.</summary>
    /// <param name="question">The question.</param>
    /// <param name="context">What stands before all.</param>
    /// <exception cref="ArgumentException">There are more options than letters.</exception>
    public IReadOnlyList<ScoreSequence> Labels(ChoiceQuestion question, int[] context)
    {
        if (question.Options.Count > Letters)
        {
            throw new ArgumentException(
                $"{question.Options.Count} options cannot be told apart by letters; {Letters} can.", nameof(question));
        }

        var list = string.Concat(question.Options.Select((o, i) =>
            $"{(char)('A' + i)}. {ChannelWording.Readable(o.Name)}{(o.Description is null ? "" : ": " + o.Description)}\n"));
        var text = $"{question.Evidence}\n{list}{question.DirectCue?.TrimStart('\n') ?? "Answer: "}";
        var (before, space) = Lead(context, text);
        return [.. question.Options.Select((_, i) =>
            new ScoreSequence(before, tokenizer.Tokenize(space + (char)('A' + i), parseSpecial: false)))];
    }

    /// <summary>
    /// What stands before an option, and the space that its continuation begins with: it belongs to the word that
    /// follows, as vocabularies have it.
    /// </summary>
    private (int[] Tokens, string Space) Lead(int[] context, string text)
    {
        var trimmed = text.TrimEnd(' ');
        int[] tokens = [.. context, .. tokenizer.Tokenize(trimmed, parseSpecial: false)];
        return tokens.Length > 0 ? (tokens, text[trimmed.Length..]) : ([tokenizer.EndOfText], "");
    }
}
