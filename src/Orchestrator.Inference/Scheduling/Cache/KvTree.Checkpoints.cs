namespace Orchestrator.Inference.Scheduling.Cache;

/// <content>
/// Sharing where the cache can't be cut: a recurrent state is of use at its own position only, and is shared whole. So
/// the state at a place where texts part is kept as a checkpoint, a leaf without tokens: where a request says that others
/// will go on from there, and else as soon as a second text is seen to part there (as Marconi does: Pan et al., MLSys
/// 2025). Who goes on from a checkpoint takes a copy of it.
/// </content>
internal sealed partial class KvTree
{
    /// <summary>Keeps the state at the end of what a leaf has computed, where a sequence can be had for it.</summary>
    /// <param name="leaf">A leaf with an owner.</param>
    public void Checkpoint(KvNode leaf)
    {
        if (leaf.Computed == 0 || (_freeSequences.Count == 0 && !EvictSequence()))
        {
            return;
        }

        var sequence = _freeSequences.Pop();
        _driver.CopySequence(leaf.Sequence, sequence, 0, leaf.ComputedEnd);
        Attach(CheckpointAfter(Split(leaf, leaf.Computed), sequence), leaf.Parent!);
    }

    /// <summary>How many tokens would be computed again without a leaf: those after the state above it.</summary>
    private static int Recomputed(KvNode leaf)
    {
        for (var node = leaf; node.Parent is { } parent; node = parent)
        {
            if (parent.Children.Exists(c => c != leaf && IsCheckpoint(c)))
            {
                return leaf.ComputedEnd - node.Start;
            }
        }

        return leaf.ComputedEnd;
    }

    private static bool IsCheckpoint(KvNode node) => node is { IsLeaf: true, Owner: null, Tokens.Count: 0 };

    /// <summary>The checkpoint where a leaf begins, if that is at a position.</summary>
    private static KvNode? CheckpointBefore(KvNode leaf, int position) =>
        leaf.Start == position ? leaf.Parent!.Children.Find(IsCheckpoint) : null;

    private static KvNode CheckpointAfter(KvNode node, int sequence) =>
        new() { Start = node.End, Sequence = sequence, Adapters = node.Adapters, Agent = node.Agent };

    private KvNode? ForkWhole(KvMatch match, AdapterSet adapters, Work owner)
    {
        // Evicting may join nodes, so that the match's offset changes; its length does not.
        var node = match.Node;
        var length = match.Length;
        node.Pins++;
        var free = _freeSequences.Count > 0 || EvictSequence();
        node.Pins--;
        if (!free)
        {
            if (!CanAdopt(node, length))
            {
                return null;
            }

            DropLogits(node);
            _ = Adopt(node, adapters, owner);
            node.Halt = match.Branch;
            return node;
        }

        var leaf = new KvNode
        {
            Start = length,
            Sequence = _freeSequences.Pop(),
            Owner = owner,
            Adapters = adapters,
            Agent = owner.Origin.Agent,
            Halt = match.Branch,
        };
        if (length > 0)
        {
            _driver.CopySequence(node.Sequence, leaf.Sequence, 0, length);
            node = node.Tokens.Count > 0 ? KeepEnd(node) : node.Parent!;
        }

        Attach(leaf, node);
        return leaf;
    }

    /// <summary>Makes a leaf an inner node with a checkpoint at its end.</summary>
    private KvNode KeepEnd(KvNode leaf)
    {
        var checkpoint = CheckpointAfter(leaf, leaf.Sequence);
        checkpoint.Saved = leaf.Saved;
        if (TakeLogits(leaf) is { } row)
        {
            checkpoint.EndLogits = row;
            _withLogits.Add(checkpoint);
        }

        leaf.Sequence = -1;
        _leaves.Remove(leaf);
        Attach(checkpoint, leaf);
        return leaf;
    }

    /// <summary>
    /// Finds the longest state that is a text's beginning and nobody works on, who is about to compute more of the text,
    /// and how far the text is known at all.
    /// </summary>
    private static void WalkWhole(KvNode node, AdapterPlan plan, ReadOnlySpan<int> rest, ref KvMatch best)
    {
        foreach (var child in node.Children)
        {
            if (child.Adapters != plan.At(child.Start))
            {
                continue;
            }

            var length = child.MatchLength(rest);
            var end = child.Start + length;
            var whole = length == child.Tokens.Count;
            if (whole && child is { IsLeaf: true, Owner: null }
                && (end > best.Length || (end == best.Length && best.EndLogits is null && child.EndLogits is not null)))
            {
                best = best with { Node = child, Offset = length };
            }

            if (child.Owner is not null && end > child.ComputedEnd && end > best.Planned)
            {
                best = best with { Planned = end, Planner = child };
            }

            best = best with { Branch = Math.Max(best.Branch, end) };
            if (whole && child.Computed == length)
            {
                WalkWhole(child, plan, rest[length..], ref best);
            }
        }
    }
}
