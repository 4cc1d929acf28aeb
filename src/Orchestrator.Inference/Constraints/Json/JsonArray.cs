using Orchestrator.Inference.Constraints.Grammars;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>
/// An array. Positions: A is what comes next (0 the first item or the end, 1 a comma or the end, 2 an item), B the number
/// of items so far (counted as far as it matters), C whether the item that it must contain was there, or, where items must
/// differ, the set of those that were.
/// </summary>
internal sealed class JsonArray(JsonPunctuation punctuation, IReadOnlyList<JsonValue> prefix, JsonValue rest, int minItems, int maxItems) : JsonContainer
{
    /// <summary>An item that must occur, each of its values being one of the items too; or null.</summary>
    public JsonValue? Contained { get; init; }

    /// <summary>Where items must differ: all that there are, at most 31. Each occurs once.</summary>
    public IReadOnlyList<JsonValue>? Distinct { get; init; }

    public override int Shortest => ShortestText();

    private int ShortestText()
    {
        var (min, max) = (Math.Max(minItems, Contained is null ? 0 : 1), Max());
        if (min > max)
        {
            return JsonValue.Impossible;
        }

        var sum = 2L + (Math.Max(0, min - 1) * (long)punctuation.Comma.Shortest);
        for (var i = 0; i < min; i++)
        {
            if (i >= prefix.Count && Distinct is null && Contained is null)
            {
                sum += (long)rest.Shortest * (min - i);
                break;
            }

            sum += Distinct is not null ? Distinct[i].Shortest : i == min - 1 && Contained is not null ? Contained.Shortest : Item(i).Shortest;
        }

        return (int)Math.Min(sum, JsonValue.Impossible);
    }

    public override void Expand(Node node, Closure closure)
    {
        var canEnd = node.B >= minItems && (Contained is null || node.C != 0);
        var canGoOn = node.B < Max();
        switch (node.A)
        {
            case 0:
                if (canEnd)
                {
                    closure.Scan(punctuation.CloseArray, node.Parent!);
                }

                if (canGoOn)
                {
                    BeginItem(node, closure);
                }

                break;
            case 1:
                if (canEnd)
                {
                    closure.Scan(punctuation.CloseArray, node.Parent!);
                }

                if (canGoOn)
                {
                    closure.Scan(punctuation.Comma, node.Move(2, node.B, node.C));
                }

                break;
            default:
                BeginItem(node, closure);
                break;
        }
    }

    public override int MinBytes(Node node)
    {
        var missing = Math.Max(minItems - node.B, Contained is not null && node.C == 0 ? 1 : 0);
        if (missing == 0 && node.A == 2)
        {
            missing = 1;
        }

        var sum = 1L + ((missing - (node.A == 1 ? 0 : 1)) * (long)punctuation.Comma.Shortest);
        sum = missing == 0 ? 1 : sum;
        for (var i = 0; i < missing; i++)
        {
            sum += i == missing - 1 && Contained is not null && node.C == 0 ? Contained.Shortest : Distinct is not null ? Distinct.Min(item => item.Shortest) : Item(node.B + i).Shortest;
        }

        return (int)Math.Min(sum, JsonValue.Impossible);
    }

    private void BeginItem(Node node, Closure closure)
    {
        // Only as far as it matters, so that long arrays do not need a node for each item.
        var cap = Math.Max(Math.Max(prefix.Count, minItems), maxItems == int.MaxValue ? 0 : maxItems);
        var count = Math.Min(node.B + 1, cap);
        if (Distinct is not null)
        {
            for (var i = 0; i < Distinct.Count; i++)
            {
                if ((node.C & (1 << i)) == 0)
                {
                    Distinct[i].Begin(closure, node.Move(1, count, node.C | (1 << i)));
                }
            }

            return;
        }

        var isLast = node.B + 1 >= Max();
        if (Contained is null || node.C != 0 || !isLast)
        {
            Item(node.B).Begin(closure, node.Move(1, count, node.C));
        }

        if (Contained is not null && node.C == 0)
        {
            Contained.Begin(closure, node.Move(1, count, 1));
        }
    }

    private JsonValue Item(int index) => index < prefix.Count ? prefix[index] : rest;

    /// <summary>The most items, given that no item can come where it has no values.</summary>
    private int Max()
    {
        if (Distinct is not null)
        {
            return Math.Min(maxItems, Distinct.Count);
        }

        for (var i = 0; i < prefix.Count; i++)
        {
            if (!prefix[i].IsPossible)
            {
                return Math.Min(maxItems, i);
            }
        }

        return rest.IsPossible ? maxItems : Math.Min(maxItems, prefix.Count);
    }
}
