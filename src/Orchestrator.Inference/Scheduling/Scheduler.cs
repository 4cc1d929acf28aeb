using Microsoft.Extensions.Logging;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// Decides, step by step, what the driver computes: takes up waiting work, fills a batch with everybody's next tokens
/// and pieces of prompts (continuous batching: Yu et al., Orca, OSDI 2022; chunked prefill: Agrawal et al.,
/// Sarathi-Serve, OSDI 2024), hands out the outputs, and makes room when the cache is full. One thread owns it.
/// </summary>
internal sealed partial class Scheduler
{
    /// <summary>What the outputs of one batch may take; scores ask for many.</summary>
    private const long MostOutputBytes = 64L << 20;

    private readonly IModelDriver _driver;
    private readonly DriverInfo _info;
    private readonly InferenceEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly AdapterLoader _adapters;
    private readonly ThreadGovernor? _governor;
    private readonly List<Work> _queue = [];
    private readonly List<Work> _active = [];
    private readonly DecodeBatch _batch = new();
    private readonly List<(Work Work, int Count, int Shared)> _fed = [];
    private readonly List<(Work Work, int Position, int Index)> _outputs = [];
    private readonly int _maxOutputs;
    private readonly Speculator? _speculator;
    private readonly EngineCounters _counters = new();
    private readonly Dictionary<AdapterSet, long> _lastTurn = [];
    private IReadOnlyList<Work> _inFlight = [];
    private AdapterSet _current = AdapterSet.None;
    private long _turns;
    private int _turn;
    private int _noSpace;
    private long _order;

    public Scheduler(
        IModelDriver driver, DraftModel? draft, InferenceEngineOptions options, AdapterLoader adapters, TimeProvider time, ILogger log, DiskStates? disk = null)
    {
        _driver = driver;
        _info = driver.Info;
        _options = options;
        _adapters = adapters;
        _time = time;
        _log = log;
        _governor = options.AdaptThreads && _info.Threads > 1 ? new ThreadGovernor(_info.Threads) : null;
        NoSpeculation = Speculator.WhyNot(options.Speculation, _info, draft is not null);
        if (draft is not null && NoSpeculation is not null)
        {
            LogNoSpeculation(NoSpeculation);
        }

        _speculator = NoSpeculation is null ? new Speculator(options.Speculation, draft, time, log) : null;
        _maxOutputs = (int)Math.Max(options.MaxActive, MostOutputBytes / (sizeof(float) * (long)driver.Tokenizer.Size));
        var rows = options.LogitsCacheBytes / (sizeof(float) * (long)driver.Tokenizer.Size);
        Tree = new KvTree(driver, _info.Embeddings ? 0 : (int)Math.Min(rows, 4096), _info.Embeddings ? 0 : options.StateCacheBytes, disk, disk is null ? null : adapters.ContentOf)
        {
            OnEvicted = _counters.Evicted,
        };
    }

    /// <summary>What the cache holds.</summary>
    public KvTree Tree { get; }

    /// <summary>Why nothing is guessed ahead; null where it may be.</summary>
    public string? NoSpeculation { get; }

    /// <summary>Whether a step would do something.</summary>
    public bool HasWork => _queue.Count > 0 || _active.Count > 0;

    /// <summary>What the batch being computed is for; read by other threads to see whether anybody still wants it.</summary>
    public IReadOnlyList<Work> InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Puts work in the line.</summary>
    public void Enqueue(Work work)
    {
        work.Order = _order++;
        try
        {
            if (work is Generation generation)
            {
                _speculator?.Attach(generation);
            }

            work.Begin();
        }
        catch (Exception error)
        {
            work.Fail(error);
        }

        if (work.Done)
        {
            Finish(work);
        }
        else
        {
            _queue.Add(work);
        }
    }

    /// <summary>Ends all work.</summary>
    public void FailAll(Exception error)
    {
        foreach (var work in _queue.Concat(_active))
        {
            work.Fail(error);
            if (work.Leaf is { } leaf)
            {
                work.Leaf = null;
                Tree.Remove(leaf);
            }

            LeaveDraftModel(work);
        }

        _queue.Clear();
        _active.Clear();
        EndRetirements();
    }

    /// <summary>Computes one batch.</summary>
    public void Step()
    {
        DropUnwanted();
        Prepare();
        var taken = TakeUp();
        if (!Fill())
        {
            if (taken == 0 && _active.Count == 0 && _queue.Count > 0)
            {
                throw new InvalidOperationException($"{_queue.Count} requests wait, and none of them can be served.");
            }

            return;
        }

        var status = Compute();
        if (status != DecodeStatus.Done)
        {
            DropDrafts(removeCells: false);
        }

        switch (status)
        {
            case DecodeStatus.Done:
                HandOut();
                break;
            case DecodeStatus.Aborted:
                CutFed();
                break;
            case DecodeStatus.NoSpace:
                MakeRoom();
                break;
            default:
                break;
        }
    }

    /// <summary>Compares what the trees say with the drivers' cells.</summary>
    public IReadOnlyList<string> Audit() => [.. KvAudit.Check(Tree, _driver), .. _speculator?.Audit() ?? []];

    /// <summary>Drops everything that no work is on.</summary>
    public void ClearCache()
    {
        Tree.Clear();
        _speculator?.ClearCache();
    }

    /// <summary>What was done so far.</summary>
    public EngineStatistics GetStatistics() => _counters.Snapshot() with
    {
        EvictedTokens = Tree.Evicted,
        RestoredTokens = Tree.Restored,
        DiskRestoredTokens = Tree.RestoredFromDisk,
        DiskBytes = Tree.DiskBytes,
        AdaptersLoaded = _adapters.Count,
        CellsUsed = Tree.CellsUsed,
        CellsTotal = _info.ContextSize,
        ActiveRequests = _active.Count,
        QueuedRequests = _queue.Count,
    };

    private void DropUnwanted()
    {
        var now = _time.GetUtcNow();
        foreach (var work in _queue.Concat(_active))
        {
            if (work.Cancelled)
            {
                work.Fail(new OperationCanceledException());
            }
            else if (!work.Done && work.Origin.Deadline is { } deadline && deadline <= now)
            {
                work.Fail(new InferenceException(
                    InferenceError.DeadlineExceeded,
                    $"The deadline of the request passed {(now - deadline).TotalSeconds:0.0} s ago."));
            }
        }

        foreach (var work in _active.Where(w => w.Done))
        {
            Leave(work);
        }

        foreach (var work in _queue.Where(w => w.Done))
        {
            Finish(work);
        }

        _active.RemoveAll(w => w.Done);
        _queue.RemoveAll(w => w.Done);
    }

    /// <summary>Takes up waiting work while there is room for it, the most urgent first.</summary>
    /// <returns>How much was taken up.</returns>
    private int TakeUp()
    {
        if (_queue.Count == 0)
        {
            return 0;
        }

        var now = _time.GetTimestamp();
        foreach (var work in _queue)
        {
            work.Rank = work.Origin.Priority + (_time.GetElapsedTime(work.Arrival, now) / _options.Aging);
        }

        _queue.Sort(static (a, b) => Urgency(a, b));
        for (var i = 0; i < _queue.Count && _active.Count < Math.Min(_options.MaxActive, _info.MaxSequences); i++)
        {
            var work = _queue[i];
            if (work.Done || !work.Prepared || !work.Ready)
            {
                continue;
            }

            switch (TryTakeUp(work))
            {
                case TakeUpResult.Taken:
                    break;
                case TakeUpResult.NoRoom:
                    // Whoever comes later must not take the room that this one waits for.
                    i = _queue.Count;
                    break;
                default:
                    break;
            }
        }

        return _queue.RemoveAll(w => w.Done || w.Leaf is not null);
    }

    private enum TakeUpResult
    {
        Taken,
        Waits,
        NoRoom,
    }

    private TakeUpResult TryTakeUp(Work work)
    {
        var tokens = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(work.Tokens);

        // Up to the first output wanted, that one included where its logits were kept.
        var limit = work.NextOutput + 1;
        var match = Tree.Match(work.Plan, tokens[..limit]);
        if (match.Planned > match.Length && !(work is ScoreBranch branch && branch.CanShare(match)))
        {
            var planner = match.Planner!;
            if (planner.Halt <= planner.ComputedEnd || planner.Halt > match.Planned)
            {
                planner.Halt = match.Planned;
            }

            return TakeUpResult.Waits;
        }

        if (!work.TriedRestore)
        {
            work.TriedRestore = true;
            if (Tree.TryRestore(work.Plan, tokens[..limit], match.Length))
            {
                match = Tree.Match(work.Plan, tokens[..limit]);
            }
        }

        if (match.Length == limit && match.EndLogits is null)
        {
            match = Tree.Match(work.Plan, tokens[..(limit - 1)]);
        }

        if (_active.Count > 0 && !HasRoom(work, match))
        {
            return TakeUpResult.NoRoom;
        }

        var row = match.EndLogits;
        var length = match.Length;
        if (Tree.Fork(match, work.Plan.At(length), work) is not { } leaf)
        {
            return TakeUpResult.NoRoom;
        }

        work.Leaf = leaf;
        _active.Add(work);

        // What it computed itself before it gave way, or found then, is nothing saved.
        var reused = Math.Max(0, length - Math.Max(work.Found, work.Fed));
        work.Found = Math.Max(work.Found, length);
        _counters.Reused(work, reused);
        work.CountReused(reused);

        if (length == limit)
        {
            work.Accept(limit - 1, row);
            if (work.Done)
            {
                Leave(work);
                _active.Remove(work);
                return TakeUpResult.Taken;
            }
        }

        Plan(work);
        return TakeUpResult.Taken;
    }

    /// <summary>
    /// Whether the cache can hold the work's prompt beside what the others already need, with a little to grow.
    /// </summary>
    private bool HasRoom(Work work, KvMatch match)
    {
        const int Growth = 16;
        var planned = _active.Sum(w => w.Leaf!.Tokens.Count - w.Leaf.Computed + Growth);
        var needed = work.Tokens.Count - match.Length + KvTree.CountUnowned(match) + Growth;
        return Tree.CellsFree + Tree.CountEvictable() >= planned + needed;
    }

    /// <summary>Puts what is still to be computed of a work on its leaf.</summary>
    private static void Plan(Work work)
    {
        var leaf = work.Leaf!;
        var end = leaf.End + work.Plan.Reach(leaf.End, work.Tokens.Count - leaf.End);
        if (leaf.End < end && leaf.Adapters == work.Plan.At(leaf.End))
        {
            leaf.Tokens.AddRange(work.Tokens.GetRange(leaf.End, end - leaf.End));
        }
    }

    /// <summary>Hands out the outputs of a batch.</summary>
    private void HandOut()
    {
        foreach (var (work, count, shared) in _fed)
        {
            // What is not a sampled or forced token's first pass was computed for the prompt's sake.
            // A draft does not count as computed, and the tree holds none of it, until it is found right.
            var first = work.Leaf!.ComputedEnd;
            var own = Math.Min(count, work.Tokens.Count - first);
            var computed = Math.Clamp(Math.Max(work.PromptLength, work.Fed) - first, 0, own) - shared;
            work.Fed = Math.Max(work.Fed, first + own);
            work.CountComputed(computed);
            work.CountReused(shared);
            _counters.Computed(work, computed);
            _counters.Reused(work, shared);
            Tree.Advance(work.Leaf, own);
            if (!_info.CanCut && (work.Leaf.ComputedEnd == work.Leaf.Halt || work.Checkpoints.Contains(work.Leaf.ComputedEnd)))
            {
                Tree.Checkpoint(work.Leaf);
            }

            CountDrafted(work, count - own);
        }

        foreach (var (work, position, index) in _outputs)
        {
            if (work.Done || !Confirm(work, position))
            {
                continue;
            }

            var output = _info.Embeddings ? _driver.GetEmbedding(index) : _driver.GetLogits(index);
            if (work.IsPromptEnd(position))
            {
                Tree.Seal(work.Leaf!, position + 1, output);
            }

            try
            {
                work.Accept(position, output);
            }
            catch (Exception error)
            {
                work.Fail(error);
            }
        }

        DropDrafts(removeCells: true);
        foreach (var (work, _, shared) in _fed)
        {
            if (shared > 0 && !work.Done)
            {
                Tree.Share(work.Leaf!);
            }
        }

        foreach (var (work, _, _) in _fed)
        {
            if (work.Done)
            {
                Leave(work);
                _active.Remove(work);
            }
            else if (AtActivation(work))
            {
                Activate(work);
            }
            else
            {
                Plan(work);
            }
        }
    }

    private void Leave(Work work)
    {
        if (work.Leaf is { } leaf)
        {
            work.Leaf = null;
            Tree.Release(leaf, Math.Max(leaf.Start, work.Keep));
        }

        Finish(work);
    }

    private void Finish(Work work)
    {
        if (work is Generation generation)
        {
            _counters.Generated(work, generation.Generated, generation.Forced);
            LeaveDraftModel(work);
            _counters.Drafted(generation.Drafting?.Drafted ?? 0, generation.Drafting?.Accepted ?? 0);
        }
    }

    /// <summary>The more urgent first, then who came earlier.</summary>
    private static int Urgency(Work a, Work b)
    {
        var rank = b.Rank.CompareTo(a.Rank);
        return rank != 0 ? rank : a.Order.CompareTo(b.Order);
    }
}
