using Microsoft.Extensions.Logging;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling;

/// <content>Filling and computing a batch.</content>
internal sealed partial class Scheduler
{
    /// <summary>Fills the batch: all answers' next tokens, then pieces of prompts.</summary>
    /// <returns>Whether there is anything in it.</returns>
    private bool Fill()
    {
        _batch.Clear();
        foreach (var (work, _, _) in _fed)
        {
            (work as ScoreBranch)?.Batched.Clear();
        }

        _fed.Clear();
        _outputs.Clear();
        if (_active.Count == 0)
        {
            return false;
        }

        ChooseAdapters();
        var members = _active.Where(w => w.Leaf is not null && w.Leaf.Adapters == _current && Pending(w) > 0).ToList();
        members.Sort(static (a, b) => Urgency(a, b));
        var room = Tree.CellsFree + Tree.CountEvictable();
        var decodes = 0;
        var decoding = members.Where(IsDecoding).ToList();
        if (decoding.Count == members.Count)
        {
            AddDrafts(decoding, room);
        }

        foreach (var work in decoding)
        {
            decodes++;
            room -= Add(work, Math.Min(room, _info.BatchSize - _batch.Count));
        }

        // A batch of prompts alone may be as large as the driver takes. Sizes are multiples of 4, which kernels like.
        var budget = decodes == 0 ? _info.BatchSize : Math.Min(_info.BatchSize, decodes + _options.PrefillChunk) & ~3;
        foreach (var work in members.Where(w => !IsDecoding(w)))
        {
            var most = Math.Max(0, Math.Min(room, budget - _batch.Count));
            if (!work.InOneBatch || Pending(work) <= most)
            {
                room -= Add(work, most);
            }
        }

        if (_batch.Count == 0)
        {
            // Everybody is stuck: the least urgent gives way.
            if (_active.Count > 1)
            {
                Preempt();
            }

            return false;
        }

        if (_batch.Count > Tree.CellsFree)
        {
            Tree.Evict(_batch.Count - Tree.CellsFree);
        }

        return true;
    }

    private static int Pending(Work work) => work.Leaf!.Tokens.Count - work.Leaf.Computed;

    private static bool IsDecoding(Work work) => work.Leaf!.ComputedEnd >= work.PromptLength;

    /// <summary>Stays with the adapters in use while they have work, but not beyond their turn if others wait.</summary>
    private void ChooseAdapters()
    {
        var waiting = _active.Where(w => w.Leaf is not null && Pending(w) > 0).ToList();
        var others = waiting.Where(w => w.Leaf!.Adapters != _current).ToList();
        var stay = waiting.Count > others.Count && (others.Count == 0 || _turn < _options.AdapterTurn);
        _turn++;
        if (stay || others.Count == 0)
        {
            return;
        }

        // Longest waiting set first: each of them gets its turn.
        var next = others.MinBy(w => _lastTurn.GetValueOrDefault(w.Leaf!.Adapters))!.Leaf!.Adapters;
        _driver.SetAdapters(_adapters.Numbers(next));
        _current = next;
        _turn = 1;
        _lastTurn[next] = ++_turns;
        _counters.AdapterSwitches++;
    }

    /// <summary>Adds a work's next tokens to the batch.</summary>
    /// <param name="work">The work.</param>
    /// <param name="most">The most new tokens; what others have in the batch already costs nothing.</param>
    /// <returns>How many new tokens were added.</returns>
    private int Add(Work work, int most)
    {
        var leaf = work.Leaf!;
        var first = leaf.ComputedEnd;
        var end = work.InOneBatch ? leaf.End : NextStop(work);
        var branch = work as ScoreBranch;
        var (added, shared) = (0, 0);
        for (var position = first; position < end; position++)
        {
            var output = work.WantsOutput(position);
            var index = branch is { Leaf.Computed: 0 } ? branch.Job.FindShared(branch, position) : -1;
            if ((index < 0 && added >= most) || (output && _outputs.Count >= _maxOutputs && !work.InOneBatch))
            {
                break;
            }

            if (index >= 0)
            {
                shared++;
                _batch.Join(index, leaf.Sequence);
                _batch.Outputs[index] |= output;
            }
            else
            {
                added++;
                index = _batch.Add(leaf.Tokens[position - leaf.Start], position, output, leaf.Sequence);
            }

            branch?.Batched.Add(index);
            if (output)
            {
                _outputs.Add((work, position, index));
            }
        }

        if (added + shared > 0)
        {
            _fed.Add((work, added + shared, shared));
        }

        return added;
    }

    /// <summary>The position at which the work's next batch ends at the latest.</summary>
    private int NextStop(Work work)
    {
        var leaf = work.Leaf!;
        var end = leaf.Halt > leaf.ComputedEnd ? Math.Min(leaf.End, leaf.Halt) : leaf.End;
        if (!_info.CanCut)
        {
            foreach (var position in work.Checkpoints)
            {
                end = position > leaf.ComputedEnd ? Math.Min(end, position) : end;
            }
        }

        return end;
    }

    private DecodeStatus Compute()
    {
        Volatile.Write(ref _inFlight, [.. _fed.Select(f => f.Work)]);
        try
        {
            var started = _time.GetTimestamp();
            var status = Decode();
            if (status == DecodeStatus.Done && _outputs.Count > 0 && _fed.TrueForAll(f => IsDecoding(f.Work)))
            {
                _speculator?.StepTime.Record(_batch.Count, _time.GetElapsedTime(started).TotalSeconds);
            }

            _counters.Steps++;
            _noSpace = status == DecodeStatus.NoSpace ? _noSpace + 1 : 0;
            return status;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            LogFailure(error);
            var failure = new InferenceException(
                InferenceError.DriverFailed, $"The model failed to compute a batch: {error.Message}", "See the log.", error);
            foreach (var (work, _, _) in _fed)
            {
                work.Fail(failure);
            }

            return DecodeStatus.Aborted;
        }
        finally
        {
            Volatile.Write(ref _inFlight, []);
        }
    }

    private DecodeStatus Decode()
    {
        if (_governor is null || ThreadClock.ProcessorTime is not { } processor)
        {
            return _driver.Decode(_batch);
        }

        var start = _time.GetTimestamp();
        var status = _driver.Decode(_batch);
        if (_governor.Note(_time.GetElapsedTime(start), ThreadClock.ProcessorTime!.Value - processor))
        {
            _driver.SetThreads(_governor.Threads, _governor.Threads);
            LogThreads(_governor.Threads);
        }

        return status;
    }

    /// <summary>Removes what a batch that did not end may have left in the cache.</summary>
    private void CutFed()
    {
        if (_info.CanCut)
        {
            foreach (var (work, _, _) in _fed)
            {
                _driver.RemoveSequence(work.Leaf!.Sequence, work.Leaf.ComputedEnd, int.MaxValue);
            }

            return;
        }

        // Nobody knows which states are half written: everything begins anew.
        foreach (var work in _active.Where(w => w.Leaf is not null).ToList())
        {
            PutBack(work, drop: true);
        }

        Tree.Clear();
    }

    /// <summary>The cache is more fragmented, or fuller, than the count of its cells says.</summary>
    private void MakeRoom()
    {
        if (Tree.Evict(_batch.Count * 2) || Tree.CountEvictable() > 0)
        {
            return;
        }

        if (_active.Count > 1)
        {
            Preempt();
        }
        else if (_noSpace > 2)
        {
            foreach (var (work, _, _) in _fed)
            {
                work.Fail(new InferenceException(
                    InferenceError.DriverFailed,
                    $"The cache has no room for a batch of {_batch.Count} tokens, with {Tree.CellsUsed} of {_info.ContextSize} cells in use.",
                    "Use a larger context."));
            }
        }
    }

    /// <summary>Puts the least urgent work back in the line; what it computed stays until it is evicted.</summary>
    private void Preempt() => PutBack(_active.Where(w => w.Leaf is not null).MaxBy(w => w, Comparer<Work>.Create(Urgency))!, drop: false);

    private void PutBack(Work work, bool drop)
    {
        var leaf = work.Leaf!;
        work.Leaf = null;
        work.TriedRestore = false;
        _active.Remove(work);
        if (drop)
        {
            Tree.Remove(leaf);
        }
        else
        {
            Tree.Release(leaf);
        }

        _counters.Preemptions++;
        _queue.Add(work);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The machine's load changed: {Threads} compute threads from now on.")]
    private partial void LogThreads(int threads);

    [LoggerMessage(Level = LogLevel.Error, Message = "The model failed to compute a batch.")]
    private partial void LogFailure(Exception error);
}
