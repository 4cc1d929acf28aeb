using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Filters over sequences and dictionaries.</summary>
internal static class SequenceFilters
{
    public static void AddTo(Dictionary<string, Filter> filters)
    {
        filters["list"] = (state, v, _) => new PyList(Py.ToList(state, v));
        filters["first"] = (_, v, _) => First(v);
        filters["last"] = (state, v, _) => Last(state, v);
        filters["reverse"] = (state, v, _) => Reverse(state, v);
        filters["join"] = Join;
        filters["sort"] = Sort;
        filters["dictsort"] = DictSort;
        filters["unique"] = Unique;
        filters["min"] = (state, v, a) => Extreme(state, v, a, "<");
        filters["max"] = (state, v, a) => Extreme(state, v, a, ">");
        filters["sum"] = Sum;
        filters["batch"] = Batch;
        filters["slice"] = Slice;
        filters["groupby"] = GroupBy;
    }

    private static object? First(object? value)
    {
        if (value is PyIterator iterator)
        {
            return iterator.TryNext(out var next) ? next : new Undefined("No first item, sequence was empty.");
        }

        foreach (var item in Py.Iterate(value))
        {
            return item;
        }

        return new Undefined("No first item, sequence was empty.");
    }

    private static object? Last(RenderState state, object? value)
    {
        if (value is PyIterator or null || !Py.IsIterable(value))
        {
            throw TemplateFailure.Type($"'{Py.TypeName(value)}' object is not reversible");
        }

        var items = Py.ToList(state, value);
        return items.Count > 0 ? items[^1] : new Undefined("No last item, sequence was empty.");
    }

    private static object? Reverse(RenderState state, object? value)
    {
        if (Py.Text(value) is not null)
        {
            return Lookup.Slice(state, value, null, null, -1L);
        }

        if (!Py.IsIterable(value))
        {
            throw TemplateFailure.Type("argument must be iterable");
        }

        var items = Py.ToList(state, value);
        items.Reverse();
        return value is PyIterator ? new PyList(items) : new PyIterator(value is PyList ? "list_reverseiterator" : "reversed", items);
    }

    private static object? Join(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("join", 0, "d", "attribute");
        var separator = Py.Str(state, Filters.Optional(a[0], ""));
        var get = Filters.Optional(a[1], null) is { } attribute ? AttributePath.Parse(attribute) : null;
        var text = new StringBuilder();
        var first = true;
        foreach (var item in Py.Iterate(value))
        {
            text.Append(first ? "" : separator).Append(Py.Str(state, get is null ? item : get.Get(state, item)));
            first = false;
            state.Charge();
            if (text.Length > state.MaxTextLength)
            {
                break;
            }
        }

        return state.Made(text.ToString());
    }

    /// <summary>What an item is compared by: an attribute of it, in lower case unless case matters.</summary>
    private static Func<object?, object?> Key(RenderState state, object? attribute, object? caseSensitive, object? byDefault = null)
    {
        var path = Filters.Optional(attribute, null) is { } a ? AttributePath.Parse(a) : null;
        var fold = !Py.Truth(Filters.Optional(caseSensitive, false));
        return item =>
        {
            var value = path is null ? item : path.Get(state, item, byDefault);
            return fold && Py.Text(value) is { } text ? PyText.Lower(text) : value;
        };
    }

    private static Comparer<object?> Order(RenderState state)
        => Comparer<object?>.Create((a, b) => Operators.Order(state, "<", a, b) ?? 0);

    /// <summary>Sorts stably, also when reversed.</summary>
    private static List<object?> Sorted(RenderState state, IEnumerable<object?> items, Func<object?, object?> key, bool reverse)
    {
        try
        {
            var order = Order(state);
            return reverse ? [.. items.OrderByDescending(key, order)] : [.. items.OrderBy(key, order)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateFailure failure)
        {
            throw failure;
        }
    }

    private static object? Sort(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("sort", 0, "reverse", "case_sensitive", "attribute");
        var attributes = Filters.Optional(a[2], null) is string text ? text.Split(',') : [];
        Func<object?, object?> key;
        if (attributes.Length > 1)
        {
            var keys = attributes.Select(n => Key(state, n, a[1])).ToArray();
            key = item => new PyTuple([.. keys.Select(k => k(item))]);
        }
        else
        {
            key = Key(state, a[2], a[1]);
        }

        return new PyList(Sorted(state, Py.ToList(state, value), key, Py.Truth(Filters.Optional(a[0], false))));
    }

    private static object? DictSort(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("dictsort", 0, "case_sensitive", "by", "reverse");
        var position = Filters.Optional(a[1], "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw TemplateFailure.Type("You can only sort by either \"key\" or \"value\""),
        };
        var dict = value as PyDict ?? throw (value is Undefined u ? u.Failure() : TemplateFailure.Type($"'{Py.TypeName(value)}' object has no attribute 'items'"));
        var key = Key(state, null, a[0]);
        var items = Py.ToList(state, new DictView("dict_items", dict));
        return new PyList(Sorted(state, items, p => key(((PyTuple)p!)[position]), Py.Truth(Filters.Optional(a[2], false))));
    }

    private static object? Unique(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("unique", 0, "case_sensitive", "attribute");
        var key = Key(state, a[1], a[0]);
        var seen = new PyDict();
        return new PyIterator("generator", Py.Iterate(value).Where(item =>
        {
            state.Charge();
            var k = key(item);
            if (seen.TryGet(k, out _))
            {
                return false;
            }

            seen[k] = null;
            return true;
        }));
    }

    private static object? Extreme(RenderState state, object? value, Arguments arguments, string op)
    {
        var a = arguments.Bind(op == "<" ? "min" : "max", 0, "case_sensitive", "attribute");
        var key = Key(state, a[1], a[0]);
        object? best = new Undefined("No aggregated item, sequence was empty.");
        object? bestKey = null;
        var first = true;
        foreach (var item in Py.Iterate(value))
        {
            var k = key(item);
            if (first || Operators.Compare(state, op, k, bestKey))
            {
                (best, bestKey, first) = (item, k, false);
            }
        }

        return best;
    }

    private static object? Sum(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("sum", 0, "attribute", "start");
        var path = Filters.Optional(a[0], null) is { } attribute ? AttributePath.Parse(attribute) : null;
        var total = Filters.Optional(a[1], 0L);
        if (Py.Text(total) is not null)
        {
            throw TemplateFailure.Type("sum() can't sum strings [use ''.join(seq) instead]");
        }

        foreach (var item in Py.Iterate(value))
        {
            state.Charge();
            total = Operators.Binary(state, "+", total, path is null ? item : path.Get(state, item));
        }

        return total;
    }

    private static object? Batch(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("batch", 1, "linecount", "fill_with");
        var size = Py.Int(a[0]);
        var fill = Filters.Optional(a[1], null);
        IEnumerable<object?> Run()
        {
            var batch = new List<object?>();
            foreach (var item in Py.Iterate(value))
            {
                state.Charge();
                if (batch.Count == size)
                {
                    yield return new PyList(batch);
                    batch = [];
                }

                batch.Add(item);
            }

            if (batch.Count > 0)
            {
                state.ChargeItems(fill is null ? 0 : size);
                while (fill is not null && batch.Count < size)
                {
                    state.Charge();
                    batch.Add(fill);
                }

                yield return new PyList(batch);
            }
        }

        return new PyIterator("generator", Run());
    }

    private static object? Slice(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("slice", 1, "slices", "fill_with");
        var slices = Py.Int(a[0]);
        var fill = Filters.Optional(a[1], null);
        var all = Py.ToList(state, value);
        if (slices == 0)
        {
            throw TemplateFailure.Type("integer division or modulo by zero");
        }

        IEnumerable<object?> Run()
        {
            var (each, extra) = (all.Count / slices, all.Count % slices);
            var at = 0;
            for (var i = 0; i < slices; i++)
            {
                state.Charge();
                var count = each + (i < extra ? 1 : 0);
                var slice = all.GetRange(at, count);
                at += count;
                if (fill is not null && i >= extra)
                {
                    slice.Add(fill);
                }

                yield return new PyList(slice);
            }
        }

        return new PyIterator("generator", Run());
    }

    private static object? GroupBy(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("groupby", 1, "attribute", "default", "case_sensitive");
        var byDefault = Filters.Optional(a[1], null);
        var key = Key(state, a[0], a[2], byDefault);
        var real = Key(state, a[0], true, byDefault);
        var groups = new List<object?>();
        object? last = null;
        foreach (var item in Sorted(state, Py.ToList(state, value), key, reverse: false))
        {
            var k = key(item);
            if (groups.Count > 0 && Operators.Equals(state, k, last))
            {
                ((PyList)((GroupTuple)groups[^1]!)[1]!).Items.Add(item);
            }
            else
            {
                groups.Add(new GroupTuple(real(item), new PyList([item])));
            }

            last = k;
        }

        return new PyList(groups);
    }
}
