using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Scheduling;

/// <content>Drafts: guessed, computed with the batch, and taken back where they were wrong.</content>
internal sealed partial class Scheduler
{
    /// <summary>Plans drafts after the tokens of those that go on, which come first.</summary>
    /// <param name="decoding">Those that go on.</param>
    /// <param name="room">Cells that are free or can be made so.</param>
    private void AddDrafts(List<Work> decoding, int room)
    {
        if (_speculator is null || _noSpace > 0 || decoding.Count == 0)
        {
            return;
        }

        var size = decoding.Sum(Pending);
        var most = Math.Min(Math.Min(room, _info.BatchSize) - size, _maxOutputs - decoding.Count);
        var generations = decoding.OfType<Generation>().ToList();
        _speculator.Draft(generations, size, most);
        foreach (var generation in generations)
        {
            generation.Leaf!.Tokens.AddRange(generation.Drafting!.Draft.Select(d => d.Token));
        }
    }

    private void LeaveDraftModel(Work work)
    {
        if (work is Generation generation)
        {
            _speculator?.Leave(generation);
        }
    }

    private static void CountDrafted(Work work, int tokens)
    {
        if (tokens > 0)
        {
            ((Generation)work).Drafting!.CountDrafted(tokens);
        }
    }

    /// <summary>
    /// Whether the output at a position follows the work's tokens: always, but for a draft, where all of it up to there
    /// must be what was drawn since.
    /// </summary>
    private bool Confirm(Work work, int position)
    {
        var leaf = work.Leaf!;
        if (position < leaf.ComputedEnd)
        {
            return true;
        }

        var first = leaf.ComputedEnd;
        var count = position + 1 - first;
        if (position != work.NextOutput
            || !CollectionsMarshal.AsSpan(leaf.Tokens).Slice(leaf.Computed, count)
                .SequenceEqual(CollectionsMarshal.AsSpan(work.Tokens).Slice(first, count)))
        {
            return false;
        }

        Tree.Advance(leaf, count);
        work.Fed = Math.Max(work.Fed, leaf.ComputedEnd);
        ((Generation)work).Drafting!.CountAccepted(first, leaf.ComputedEnd);
        return true;
    }

    /// <summary>Takes back what was not confirmed of the drafts.</summary>
    /// <param name="removeCells">Whether they were computed, so that they have cells.</param>
    private void DropDrafts(bool removeCells)
    {
        foreach (var (work, _, _) in _fed)
        {
            if (work is not Generation { Drafting: { Draft.Count: > 0 } drafting, Leaf: { } leaf })
            {
                continue;
            }

            var end = removeCells ? leaf.ComputedEnd : Math.Min(leaf.End, work.Tokens.Count);
            drafting.Clear(end, checkedAll: removeCells && !work.Done);
            leaf.Tokens.RemoveRange(end - leaf.Start, leaf.End - end);
            if (removeCells)
            {
                _driver.RemoveSequence(leaf.Sequence, end, int.MaxValue);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The draft model is not used. {Reason}")]
    private partial void LogNoSpeculation(string reason);
}
