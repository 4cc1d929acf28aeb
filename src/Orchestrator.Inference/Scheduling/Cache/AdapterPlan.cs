namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// Which adapters each position of a sequence is computed under. An activated adapter (aLoRA: Greenewald et al., 2025)
/// acts from its invocation tokens on; what comes before them is computed, and shared, without it.
/// </summary>
internal readonly record struct AdapterPlan
{
    private AdapterPlan(AdapterSet before, AdapterSet after, int start)
    {
        Before = before;
        After = after;
        Start = start;
    }

    /// <summary>The adapters of the positions before <see cref="Start"/>.</summary>
    public AdapterSet Before { get; }

    /// <summary>The adapters from <see cref="Start"/> on.</summary>
    public AdapterSet After { get; }

    /// <summary>Where they change; 0 where they never do.</summary>
    public int Start { get; }

    /// <summary>The same adapters everywhere.</summary>
    public static AdapterPlan Always(AdapterSet adapters) => new(adapters, adapters, 0);

    /// <summary>Other adapters from a position on.</summary>
    public static AdapterPlan From(AdapterSet before, AdapterSet after, int start) =>
        start == 0 || before == after ? Always(after) : new AdapterPlan(before, after, start);

    /// <summary>The adapters at a position.</summary>
    public AdapterSet At(int position) => position < Start ? Before : After;

    /// <summary>How many of the positions from one on have its adapters, at most a length.</summary>
    public int Reach(int position, int length) => position < Start ? Math.Min(length, Start - position) : length;

    /// <summary>The same adapters under other names; null where one of them has none.</summary>
    public AdapterPlan? Rename(Func<string, string?> rename) =>
        Before.Rename(rename) is { } before && After.Rename(rename) is { } after ? From(before, after, Start) : null;

    /// <summary>How many of the first positions, at most a length, have the same adapters in another plan.</summary>
    public int CommonLength(AdapterPlan other, int length)
    {
        var first = Math.Min(Start, other.Start);
        var last = Math.Max(Start, other.Start);
        foreach (var position in (ReadOnlySpan<int>)[0, first, last])
        {
            if (position < length && At(position) != other.At(position))
            {
                return position;
            }
        }

        return length;
    }
}
