using Orchestrator.Inference.Drivers;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>Compares a tree with the cells of its driver.</summary>
internal static class KvAudit
{
    /// <summary>Finds what does not agree.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="driver">The driver.</param>
    /// <returns>One sentence for each fault.</returns>
    public static IReadOnlyList<string> Check(KvTree tree, IModelDriver driver)
    {
        var faults = new List<string>();
        var owners = tree.FreeSequences.ToDictionary(s => s, _ => "free");
        var leaves = new HashSet<KvNode>();
        var cells = 0;
        foreach (var root in tree.Roots.Values)
        {
            Visit(root);
        }

        if (!leaves.SetEquals(tree.Leaves))
        {
            faults.Add($"The tree has {leaves.Count} leaves, and {tree.Leaves.Count} are listed.");
        }

        if (cells != tree.CellsUsed)
        {
            faults.Add($"The tree holds {cells} cells, and {tree.CellsUsed} are counted.");
        }

        if (driver.CountUsedCells() is { } used && used != cells)
        {
            faults.Add($"The driver uses {used} cells, and the tree holds {cells}.");
        }

        if (owners.Count != driver.Info.MaxSequences)
        {
            faults.Add($"{owners.Count} of {driver.Info.MaxSequences} sequences are accounted for.");
        }

        foreach (var sequence in tree.FreeSequences)
        {
            if (driver.GetSequenceLength(sequence) is > 0 and var length)
            {
                faults.Add($"The free sequence {sequence} holds {length} positions.");
            }
        }

        return faults;

        void Visit(KvNode node)
        {
            cells += node.Computed;
            if (node.Parent is { } parent && node.Start != parent.End)
            {
                faults.Add($"A node starts at {node.Start}, after one that ends at {parent.End}.");
            }

            if (node.Computed > node.Tokens.Count || (node.Computed < node.Tokens.Count && node.Owner is null))
            {
                faults.Add($"A node of {node.Tokens.Count} tokens has {node.Computed} computed, and {(node.Owner is null ? "no" : "an")} owner.");
            }

            if (node.Pins != 0)
            {
                faults.Add($"A node at {node.Start} is pinned {node.Pins} times.");
            }

            if (node.IsLeaf == (node.Children.Count > 0) && node.Parent is not null)
            {
                faults.Add($"A node at {node.Start} has {node.Children.Count} children and sequence {node.Sequence}.");
            }

            if (node.IsLeaf)
            {
                leaves.Add(node);
                if (!owners.TryAdd(node.Sequence, "leaf"))
                {
                    faults.Add($"Sequence {node.Sequence} has two owners.");
                }

                if (driver.GetSequenceLength(node.Sequence) is { } length && length != node.ComputedEnd)
                {
                    faults.Add($"Sequence {node.Sequence} holds {length} positions, and its leaf ends at {node.ComputedEnd}.");
                }
            }

            foreach (var child in node.Children)
            {
                if (child.Parent != node)
                {
                    faults.Add($"A child at {child.Start} names another parent.");
                }

                Visit(child);
            }
        }
    }
}
