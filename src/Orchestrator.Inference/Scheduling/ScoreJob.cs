using System.Runtime.InteropServices;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling.Cache;
using Orchestrator.Inference.Scheduling.Sampling;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// A <see cref="ScoreRequest"/> at work. Its sequences are sorted, so that those that begin alike are neighbours:
/// what they share is computed once, and its output read for all. Where cells can be shared token by token, one batch
/// computes them all; elsewhere each waits until those before it have left the state that they share.
/// </summary>
internal sealed class ScoreJob
{
    private readonly TaskCompletionSource<ScoreResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly float[][] _scores;
    private int[]? _shared;
    private int _unfinished;
    private int _computed;
    private int _reused;

    /// <summary>Creates the job.</summary>
    /// <param name="request">A valid request.</param>
    /// <param name="sharesCells">Whether sequences can share a cell whose token is being computed.</param>
    public ScoreJob(ScoreRequest request, bool sharesCells)
    {
        SharesCells = sharesCells;
        _scores = [.. request.Sequences.Select(s => new float[s.Continuation.Count])];
        var branches = request.Sequences.Select((s, i) => new ScoreBranch(this, request.Origin, s, i)).ToList();
        branches.Sort((a, b) => CollectionsMarshal.AsSpan(a.Tokens).SequenceCompareTo(CollectionsMarshal.AsSpan(b.Tokens)));
        Branches = branches;
        for (var i = 0; i < branches.Count; i++)
        {
            branches[i].Place = i;
        }

        _unfinished = branches.Count;
    }

    /// <summary>Whether sequences can share a cell whose token is being computed.</summary>
    public bool SharesCells { get; }

    /// <summary>One for each sequence, sorted.</summary>
    public IReadOnlyList<ScoreBranch> Branches { get; }

    /// <summary>The scores, once all are there.</summary>
    public Task<ScoreResult> Result => _result.Task;

    /// <summary>How much each branch has in common with the one before; known once their adapters are.</summary>
    private int[] Shared => _shared ??= CompareNeighbours();

    /// <summary>Whether a branch can be taken up: nobody before it computes what it shares with them.</summary>
    public bool IsReady(ScoreBranch branch) =>
        SharesCells || branch.Place == 0 || Branches[branch.Place - 1].Done || branch.NextOutput >= Shared[branch.Place];

    /// <summary>The token of this batch that a branch shares with one before it, where there is one.</summary>
    /// <param name="branch">A branch that is being added to the batch.</param>
    /// <param name="position">The position of its next token.</param>
    /// <returns>The token's index in the batch, or −1.</returns>
    public int FindShared(ScoreBranch branch, int position)
    {
        if (!SharesCells)
        {
            return -1;
        }

        var leaf = branch.Leaf!;
        for (var i = branch.Place; i > 0 && Shared[i] > position; i--)
        {
            var other = Branches[i - 1];
            if (other.Leaf?.Parent == leaf.Parent && other.Leaf!.Computed == 0 && position - leaf.Start < other.Batched.Count)
            {
                return other.Batched[position - leaf.Start];
            }
        }

        return -1;
    }

    /// <summary>How much of a branch the unfinished ones beside it need.</summary>
    public int NeededByOthers(ScoreBranch branch)
    {
        // The nearest unfinished one on either side shares the most.
        var before = int.MaxValue;
        var i = branch.Place;
        do
        {
            before = Math.Min(before, Shared[i--]);
        }
        while (i >= 0 && Branches[i].Done);

        var after = int.MaxValue;
        i = branch.Place;
        do
        {
            after = Math.Min(after, Shared[++i]);
        }
        while (i < Branches.Count && Branches[i].Done);

        return Math.Max(before, after);
    }

    /// <summary>Reads the output at a position for all branches that share it.</summary>
    public void Record(ScoreBranch branch, int position, ReadOnlySpan<float> logits)
    {
        if (branch.NextOutput != position || branch.Done)
        {
            return;
        }

        var (_, normaliser) = LogSumExp.Compute(logits);
        for (var i = branch.Place; i >= 0 && (i == branch.Place || Shared[i + 1] > position); i--)
        {
            Record(Branches[i], position, logits, normaliser);
        }

        for (var i = branch.Place + 1; i < Branches.Count && Shared[i] > position; i++)
        {
            Record(Branches[i], position, logits, normaliser);
        }
    }

    /// <summary>Ends the job with an error.</summary>
    public void Fail(Exception error) => _result.TrySetException(error);

    /// <summary>Notes tokens found in the cache.</summary>
    public void CountReused(int tokens) => _reused += tokens;

    /// <summary>Notes tokens computed.</summary>
    public void CountComputed(int tokens) => _computed += tokens;

    private int[] CompareNeighbours()
    {
        var shared = new int[Branches.Count + 1];
        for (var i = 1; i < Branches.Count; i++)
        {
            var length = CollectionsMarshal.AsSpan(Branches[i].Tokens).CommonPrefixLength(CollectionsMarshal.AsSpan(Branches[i - 1].Tokens));
            shared[i] = Branches[i].Plan.CommonLength(Branches[i - 1].Plan, length);
        }

        return shared;
    }

    private void Record(ScoreBranch branch, int position, ReadOnlySpan<float> logits, float normaliser)
    {
        if (branch.NextOutput != position || branch.Done)
        {
            return;
        }

        var scores = _scores[branch.Index];
        scores[branch.Recorded] = logits[branch.Continuation[branch.Recorded]] - normaliser;
        branch.Recorded++;
        if (branch.Recorded == scores.Length)
        {
            branch.Finish();
            if (--_unfinished == 0)
            {
                _result.TrySetResult(new ScoreResult(_scores, _computed, _reused));
            }
        }
    }
}

/// <summary>One sequence of a <see cref="ScoreJob"/>. Its last token predicts nothing and is not computed.</summary>
internal sealed class ScoreBranch(ScoreJob job, ModelRequest origin, ScoreSequence sequence, int index)
    : Work(origin, sequence.Prefix.Concat(sequence.Continuation.Take(sequence.Continuation.Count - 1)))
{
    /// <summary>The job.</summary>
    public ScoreJob Job => job;

    /// <summary>The place in the request.</summary>
    public int Index => index;

    /// <summary>The place among the sorted branches.</summary>
    public int Place { get; set; }

    /// <summary>Where its tokens stand in the batch being filled.</summary>
    public List<int> Batched { get; } = [];

    /// <summary>Whether what it would go on from is planned by another branch, whose batch it can share.</summary>
    /// <param name="match">What the cache holds.</param>
    public bool CanShare(KvMatch match) =>
        job.SharesCells && match.Length >= sequence.Prefix.Count && match.Planner!.Owner is ScoreBranch other && other.Job == job;

    /// <summary>What is scored.</summary>
    public IReadOnlyList<int> Continuation => sequence.Continuation;

    /// <summary>How many tokens of it are scored.</summary>
    public int Recorded { get; set; }

    /// <inheritdoc/>
    public override int InvocationEnd => sequence.Prefix.Count;

    /// <inheritdoc/>
    public override bool Ready => job.IsReady(this);

    /// <inheritdoc/>
    public override int NextOutput => sequence.Prefix.Count - 1 + Recorded;

    /// <inheritdoc/>
    public override int Keep => Math.Max(sequence.Prefix.Count, job.NeededByOthers(this));

    /// <inheritdoc/>
    public override bool IsPromptEnd(int position) => position == sequence.Prefix.Count - 1;

    /// <inheritdoc/>
    public override bool WantsOutput(int position) => position >= NextOutput;

    /// <inheritdoc/>
    public override void Accept(int position, ReadOnlySpan<float> output) => job.Record(this, position, output);

    /// <inheritdoc/>
    public override void Fail(Exception error)
    {
        Done = true;
        job.Fail(error);
    }

    /// <inheritdoc/>
    public override void CountReused(int tokens) => job.CountReused(tokens);

    /// <inheritdoc/>
    public override void CountComputed(int tokens) => job.CountComputed(tokens);

    /// <summary>Says that all of it is scored.</summary>
    public void Finish() => Done = true;
}
