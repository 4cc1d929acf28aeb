namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>The longest beginning of a prompt that the tree holds.</summary>
/// <param name="Node">Where it ends.</param>
/// <param name="Offset">How many tokens of that node belong to it.</param>
/// <param name="Planned">
/// How many tokens would be found once the requests being computed now are done; above <see cref="Length"/>, waiting
/// saves work.
/// </param>
/// <param name="Planner">The leaf on which the last planned token stands; null where nothing is planned.</param>
/// <param name="Branch">
/// Where the text parts from all that is known; only of a cache that can't be cut, where it may lie beyond what can be used.
/// </param>
internal readonly record struct KvMatch(KvNode Node, int Offset, int Planned, KvNode? Planner = null, int Branch = 0)
{
    /// <summary>How many tokens were found in the cache.</summary>
    public int Length => Node.Start + Offset;

    /// <summary>The logits after the last token found, where they were kept.</summary>
    public float[]? EndLogits => Offset == Node.Tokens.Count ? Node.EndLogits : null;
}
