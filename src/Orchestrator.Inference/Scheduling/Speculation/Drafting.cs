using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>What one generation guesses ahead, and how that went.</summary>
internal sealed class Drafting
{
    /// <summary>Guesses from the text; null for not.</summary>
    public PromptLookup? Lookup { get; init; }

    /// <summary>What the lookup guesses now, each with the probability that it and all before it are right.</summary>
    public List<(int Token, double Probability)> Guess { get; } = [];

    /// <summary>How the draft model's guesses went; null where there is none.</summary>
    public HitRates? ModelRates { get; init; }

    /// <summary>The leaf in the draft model's KV tree; null before its first draft.</summary>
    public KvNode? ModelLeaf { get; set; }

    /// <summary>The draft of this step, which follows the generation's tokens; empty between steps.</summary>
    public List<DraftToken> Draft { get; } = [];

    /// <summary>The position of the draft's first token.</summary>
    public int Start { get; set; }

    /// <summary>Whether the draft is the draft model's.</summary>
    public bool OfModel { get; set; }

    /// <summary>Tokens guessed and checked so far, forced ones apart.</summary>
    public int Drafted { get; private set; }

    /// <summary>Those of them that were right.</summary>
    public int Accepted { get; private set; }

    /// <summary>Notes that the beginning of the draft is being checked.</summary>
    /// <param name="tokens">How many tokens.</param>
    public void CountDrafted(int tokens) => Drafted += Chosen(0, tokens);

    /// <summary>Notes that a part of the draft was right.</summary>
    /// <param name="start">The position of its first token.</param>
    /// <param name="end">The position after its last.</param>
    public void CountAccepted(int start, int end)
    {
        var accepted = Chosen(start - Start, end - Start);
        Accepted += accepted;
        for (var i = 0; OfModel && i < accepted; i++)
        {
            ModelRates!.Record(1, hit: true);
        }
    }

    /// <summary>Ends the step.</summary>
    /// <param name="end">The position after the last token that was right.</param>
    /// <param name="checkedAll">Whether the generation went on, so that what follows was wrong.</param>
    public void Clear(int end, bool checkedAll)
    {
        if (OfModel && checkedAll && end < Start + Draft.Count)
        {
            ModelRates!.Record(1, hit: false);
        }

        Draft.Clear();
        OfModel = false;
    }

    private int Chosen(int from, int to)
    {
        var count = 0;
        for (var i = Math.Max(0, from); i < to && i < Draft.Count; i++)
        {
            count += Draft[i].Forced ? 0 : 1;
        }

        return count;
    }
}
