using Microsoft.Extensions.AI;

namespace Orchestrator.Core.Models;

/// <summary>Which tool a request needs, as a question for an <see cref="IChoiceScorer"/>.</summary>
public static class ToolQuestions
{
    /// <summary>The option of calling no tool.</summary>
    public const string Answer = "answer";

    private const string AnswerDescription =
        "Talks with the user: answers questions, explains, advises and writes texts from general knowledge.";

    private const string Channel = "{name}: {description}";

    /// <summary>
    /// How people ask: with the values first or last, for what they want and not by a function's name, in a few words, and
    /// once with a sentence in front that tells who asks.
    /// </summary>
    private static readonly ChatMessage[] Examples =
    [
        new(ChatRole.System, "The user names a function. Answer with a request that somebody makes for it."),
        .. Example("taxi order: Call a taxi to an address.", "I'm at 4 Dock Road and have to get home."),
        .. Example("taxi cancel: Call off a taxi that was ordered.", "Sorry, my brother will drive me, so T-14 needn't come."),
        .. Example("timer start: Start a timer.", "7 minutes for the eggs, please."),
        .. Example("dictionary synonyms: Find words that mean the same as a word.", "Is there a nicer word for \"big\"?"),
        .. Example(
            "ladder reach: Calculate how high a ladder reaches.",
            "It is 5 metres long and stands 1.5 metres from the wall. Do I get to the window with it?"),
        .. Example(
            "item report: Report a lost item.",
            "Our guest in room 8 called a minute ago, and this is what he wants us to do: My umbrella is gone, please write it down."),
        .. Example("printer print: Print a document.", "thesis.docx has to be on paper by noon."),
        .. Example("poll result: Get the result of a poll.", "Has anybody won number 12 yet?"),
        .. Example("poll vote: Vote in a poll.", "In number 9 I'm for Jane."),
    ];

    // What calibration takes off an answer was measured with this one.
    private const string ChannelWithAnswer = "You can call this function:\n{name}: {description}";

    /// <summary>Which of the tools suits a request best.</summary>
    /// <param name="evidence">The request.</param>
    /// <param name="tools">The tools, at least one.</param>
    /// <param name="request">Who asks; null for nobody in particular.</param>
    /// <returns>The question.</returns>
    public static ChoiceQuestion Which(string evidence, IReadOnlyList<Choice> tools, ModelRequest? request = null) => new()
    {
        Evidence = evidence,
        Options = tools,
        ChannelTemplate = Channel,
        ChannelExamples = Examples,
        EvidenceIsRequest = true,
        DirectCue = "\nFunction: ",
        Request = request ?? new ModelRequest(),
    };

    /// <summary>
    /// Whether a request needs a tool, and which. Before anything is known, <see cref="Answer"/> is as likely as all
    /// tools together; what descriptions make likely whatever is asked is taken off.
    /// </summary>
    /// <param name="evidence">The request.</param>
    /// <param name="tools">The tools, at least one; none is called <see cref="Answer"/>.</param>
    /// <param name="calls">How often each tool was called for this request; null for not yet.</param>
    /// <param name="request">Who asks; null for nobody in particular.</param>
    /// <returns>The question; its last option is <see cref="Answer"/>.</returns>
    /// <remarks>
    /// The evidence stays the same from call to call, so without a prior the same tool would be chosen each time: every
    /// call so far makes answering likelier, and the same tool less likely, by a factor of two.
    /// </remarks>
    public static ChoiceQuestion WhichOrAnswer(
        string evidence, IReadOnlyList<Choice> tools, IReadOnlyList<int>? calls = null, ModelRequest? request = null)
    {
        ArgumentNullException.ThrowIfNull(tools);
        var half = Math.Log(2);
        return Which(evidence, [.. tools, new Choice(Answer, AnswerDescription)], request) with
        {
            ChannelTemplate = ChannelWithAnswer,
            ChannelExamples = [],
            Method = ChoiceMethod.CalibratedChannel,
            LogPriors =
            [
                .. tools.Select((_, i) => -half * (calls?[i] ?? 0)),
                Math.Log(Math.Max(1, tools.Count)) + (half * (calls?.Sum() ?? 0)),
            ],
        };
    }

    private static ChatMessage[] Example(string function, string request) => [new(ChatRole.User, function), new(ChatRole.Assistant, request)];
}
