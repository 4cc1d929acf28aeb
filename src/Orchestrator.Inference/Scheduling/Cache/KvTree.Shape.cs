using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <content>Splitting and joining nodes.</content>
internal sealed partial class KvTree
{
    /// <summary>Cuts a node in two; the lower part keeps the node's identity, sequence and owner.</summary>
    /// <returns>The upper part.</returns>
    private KvNode Split(KvNode node, int offset)
    {
        if (offset == node.Tokens.Count && !node.IsLeaf)
        {
            return node;
        }

        var upper = new KvNode
        {
            Parent = node.Parent,
            Tokens = node.Tokens.GetRange(0, offset),
            Start = node.Start,
            Computed = offset,
            Adapters = node.Adapters,
            Agent = node.Agent,
            LastUsed = node.LastUsed,
            Worth = node.Worth,
        };
        if (offset == node.Tokens.Count && node.EndLogits is { } row)
        {
            upper.EndLogits = row;
            node.EndLogits = null;
            _withLogits.Remove(node);
            _withLogits.Add(upper);
        }

        upper.Children.Add(node);
        var siblings = node.Parent!.Children;
        siblings[siblings.IndexOf(node)] = upper;
        node.Parent = upper;
        node.Start += offset;
        node.Computed -= offset;
        node.Tokens.RemoveRange(0, offset);
        return upper;
    }

    /// <summary>Ends a node of a leaf's path at a position behind the text's first token.</summary>
    /// <returns>The node that ends there.</returns>
    private KvNode EndAt(KvNode leaf, int end)
    {
        // What others computed in the same batch, and ended before, may have taken up the beginning of the leaf.
        var node = leaf;
        while (end <= node.Start)
        {
            node = node.Parent!;
        }

        var upper = Split(node, end - node.Start);
        return node == leaf ? Join(upper) : upper;
    }

    /// <summary>
    /// Lets a node share the cells of equal tokens that were computed beside it, so that each is held once.
    /// </summary>
    /// <returns>The node that now ends where this one did.</returns>
    private KvNode Join(KvNode node)
    {
        var parent = node.Parent!;
        if (parent.Children.Count == 1)
        {
            return node;
        }

        parent.Children.Remove(node);
        var match = new KvMatch(parent, parent.Tokens.Count, 0);
        Walk(parent, AdapterPlan.Always(node.Adapters), CollectionsMarshal.AsSpan(node.Tokens), ref match);
        parent.Children.Add(node);
        var shared = match.Length - node.Start;
        if (shared == 0)
        {
            return node;
        }

        if (shared == node.Tokens.Count && node.IsLeaf)
        {
            var row = TakeLogits(node);
            Remove(node);
            return KeepLogits(match, row);
        }

        var source = SequenceBelow(match.Node);
        foreach (var leaf in LeavesBelow(node))
        {
            _driver.RemoveSequence(leaf.Sequence, node.Start, match.Length);
            _driver.CopySequence(source, leaf.Sequence, node.Start, match.Length);
        }

        CellsUsed -= shared;
        parent.Children.Remove(node);
        var upper = CanAdopt(match.Node, match.Length) ? match.Node : Split(match.Node, match.Offset);
        var moved = new List<KvNode> { node };
        if (shared == node.Tokens.Count)
        {
            moved = [.. node.Children];
            KeepLogits(match with { Node = upper, Offset = upper.Tokens.Count }, TakeLogits(node));
        }
        else
        {
            node.Start += shared;
            node.Computed -= shared;
            node.Tokens.RemoveRange(0, shared);
        }

        foreach (var child in moved)
        {
            child.Parent = upper;
            upper.Children.Add(child);
        }

        if (upper.IsLeaf)
        {
            // What goes on from here holds its cells too.
            DropSequence(upper);
        }

        MergeWithOnlyChild(parent);
        if (moved[0] != node)
        {
            return upper;
        }

        MergeWithOnlyChild(upper);
        return node;
    }

    private float[]? TakeLogits(KvNode node)
    {
        var row = node.EndLogits;
        node.EndLogits = null;
        _withLogits.Remove(node);
        return row;
    }

    /// <summary>Gives logits that were kept elsewhere to the node that ends at a match.</summary>
    private KvNode KeepLogits(KvMatch match, float[]? row)
    {
        if (row is null)
        {
            return match.Node;
        }

        var offset = match.Length - match.Node.Start;
        var node = match.Node.Tokens.Count == offset && (match.Node.Owner is null) ? match.Node : Split(match.Node, offset);
        if (node.EndLogits is null)
        {
            node.EndLogits = row;
            _withLogits.Add(node);
        }
        else
        {
            _spareRows.Push(row);
        }

        return node;
    }

    private static IEnumerable<KvNode> LeavesBelow(KvNode node) =>
        node.IsLeaf ? [node] : node.Children.SelectMany(LeavesBelow);

    /// <summary>Joins a node with what alone follows it, unless the logits between them are kept.</summary>
    private void MergeWithOnlyChild(KvNode node)
    {
        if (node.Parent is null || node.Children.Count != 1 || node.Children[0].Adapters != node.Adapters
            || node.EndLogits is not null || node.Pins > 0)
        {
            return;
        }

        var child = node.Children[0];
        node.Tokens.AddRange(child.Tokens);
        child.Tokens = node.Tokens;
        child.Start = node.Start;
        child.Computed += node.Computed;
        child.Parent = node.Parent;
        var siblings = node.Parent.Children;
        siblings[siblings.IndexOf(node)] = child;
        node.Parent = null;
        node.Children.Clear();
    }

    /// <summary>Makes a leaf an inner node, whose cells the sequences below it hold.</summary>
    private void DropSequence(KvNode node)
    {
        _driver.RemoveSequence(node.Sequence, 0, int.MaxValue);
        _freeSequences.Push(node.Sequence);
        _leaves.Remove(node);
        node.Sequence = -1;
    }
}
