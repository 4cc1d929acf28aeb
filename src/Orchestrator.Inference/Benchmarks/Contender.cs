namespace Orchestrator.Inference.Benchmarks;

/// <summary>What a contender needed for a workload.</summary>
/// <param name="Wall">The whole time.</param>
/// <param name="Prompt">Tokens of all prompts together.</param>
/// <param name="Computed">Prompt tokens that were computed; neither sampled ones nor drafts.</param>
/// <param name="Drafted">Drafts given to the decoder.</param>
/// <param name="New">The fewest that these prompts need.</param>
/// <param name="FirstTokens">Time to each answer's first token.</param>
/// <param name="PeakBytes">The largest resident size of the contender's process meanwhile; null where unknown.</param>
internal sealed record Outcome(
    TimeSpan Wall, int Prompt, int Computed, int Drafted, int New, IReadOnlyList<TimeSpan> FirstTokens, long? PeakBytes);

/// <summary>One way of serving a workload. It is open only while it runs, so that its memory is its own.</summary>
/// <param name="name">The name in tables.</param>
/// <param name="time">The clock.</param>
internal abstract class Contender(string name, TimeProvider time)
{
    /// <summary>The name in tables.</summary>
    public string Name => name;

    /// <summary>Serves a workload from an empty cache.</summary>
    public async Task<Outcome> RunAsync(Workload workload, Texts texts, CancellationToken cancellationToken = default)
    {
        PeakMemory.GiveBack();
        try
        {
            await OpenAsync(workload, cancellationToken).ConfigureAwait(false);
            var conversation = new Conversation(workload, texts, PrefixOf(texts));
            var knowsPeak = ResetPeak();
            var start = time.GetTimestamp();
            await conversation.RunAsync(asked => AnswerAsync(asked, cancellationToken)).ConfigureAwait(false);
            var wall = time.GetElapsedTime(start);
            var sampled = workload.Answers * (Workload.Answer - 1);
            return new Outcome(
                wall,
                conversation.History.Sum(h => h.Prompt.Length),
                CountComputed(sampled),
                Drafted,
                PrefixTrie.CountNew(conversation.History),
                conversation.FirstTokens,
                knowsPeak ? ReadPeak() : null);
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Drafts given to the decoder.</summary>
    protected virtual int Drafted => 0;

    /// <summary>Prompt tokens computed.</summary>
    /// <param name="sampled">Sampled tokens that the decoder was given too: all but the last of each answer.</param>
    protected abstract int CountComputed(int sampled);

    protected abstract Task OpenAsync(Workload workload, CancellationToken cancellationToken);

    /// <summary>Frees what was opened, also where opening failed half way.</summary>
    protected abstract ValueTask CloseAsync();

    protected abstract Func<int, IEnumerable<int>> PrefixOf(Texts texts);

    protected abstract Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked, CancellationToken cancellationToken);

    /// <summary>Forgets the largest resident size so far; false where that can't be done.</summary>
    protected virtual bool ResetPeak() => PeakMemory.Reset();

    protected virtual long? ReadPeak() => PeakMemory.Read();
}
