using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling;

/// <content>
/// Adapters come and go while requests are served. One is loaded when the first request names it. One that is removed,
/// or whose file was replaced, is freed once the requests that were let in with it are done; those that came later wait
/// for that. The library plans its graph anew at each change of adapters, so the context stays, and with it all that was
/// computed without the adapter.
/// </content>
internal sealed partial class Scheduler
{
    private readonly Dictionary<string, List<TaskCompletionSource>> _retiring = new(StringComparer.Ordinal);

    /// <summary>Frees an adapter when the requests that use it are done.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="done">Told when it is free.</param>
    public void Retire(string name, TaskCompletionSource done)
    {
        BeginRetirement(name).Add(done);
        EndRetirements();
    }

    private List<TaskCompletionSource> BeginRetirement(string name)
    {
        if (!_retiring.TryGetValue(name, out var waiting))
        {
            _retiring[name] = waiting = [];
        }

        return waiting;
    }

    private void EndRetirements()
    {
        if (_retiring.Count == 0)
        {
            return;
        }

        foreach (var (name, waiting) in _retiring.ToList())
        {
            if (_active.Concat(_queue).Any(w => w.Prepared && !w.Done && w.Adapters.Uses(name)))
            {
                continue;
            }

            if (_current.Uses(name))
            {
                _driver.SetAdapters([]);
                _current = AdapterSet.None;
            }

            Tree.Forget(name);
            foreach (var set in _lastTurn.Keys.Where(s => s.Uses(name)).ToList())
            {
                _lastTurn.Remove(set);
            }

            _adapters.Free(name);
            _retiring.Remove(name);
            waiting.ForEach(w => w.TrySetResult());
        }
    }

    /// <summary>Loads the adapters of what came since the last step, and finds where they act.</summary>
    private void Prepare()
    {
        EndRetirements();
        foreach (var work in _queue)
        {
            if (!work.Prepared && !work.Done)
            {
                try
                {
                    Prepare(work);
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    work.Fail(error);
                }
            }
        }
    }

    private void Prepare(Work work)
    {
        foreach (var (name, _) in work.Adapters.Adapters)
        {
            var status = _retiring.ContainsKey(name) ? AdapterStatus.Changed : _adapters.Look(name);
            if (status is AdapterStatus.Changed or AdapterStatus.Missing && _adapters.IsLoaded(name))
            {
                BeginRetirement(name);
                EndRetirements();
                status = status == AdapterStatus.Changed && !_retiring.ContainsKey(name) ? AdapterStatus.New : status;
            }

            switch (status)
            {
                case AdapterStatus.Missing:
                    throw AdapterLoader.Missing(name);
                case AdapterStatus.Changed:
                    return;
                case AdapterStatus.New:
                    _adapters.Load(name);
                    break;
                default:
                    break;
            }
        }

        var prompt = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(work.Tokens)[..work.InvocationEnd];
        work.Plan = _adapters.Plan(work.Adapters, prompt);
        work.Prepared = true;
    }

    /// <summary>
    /// Puts a work whose part before the invocation tokens is computed back in the line: what it did is found at once,
    /// and it goes on under the other adapters.
    /// </summary>
    private void Activate(Work work)
    {
        var leaf = work.Leaf!;
        work.Leaf = null;
        _active.Remove(work);
        Tree.Release(leaf);
        _queue.Add(work);
    }

    private static bool AtActivation(Work work) =>
        work.Leaf is { } leaf && leaf.ComputedEnd == work.Plan.Start && leaf.Adapters != work.Plan.At(leaf.ComputedEnd);
}
