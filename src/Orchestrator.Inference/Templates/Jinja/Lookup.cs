namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Attributes and items, as the sandboxed environment looks them up.</summary>
internal static class Lookup
{
    /// <summary><c>value.name</c>: the attribute if there is one, else the item of that name, else undefined.</summary>
    public static object? Attribute(RenderState state, object? value, string name)
    {
        if (value is PyDict dict && !name.StartsWith("__", StringComparison.Ordinal))
        {
            // The order of the two is the reference's: methods hide keys.
            return Methods.TryGet(state, dict, name, out var method) ? method
                : dict.TryGet(name, out var item) ? item : Undefined.Attribute(value, name);
        }

        if (TryAttribute(state, value, name, out var attribute))
        {
            return attribute;
        }

        return value switch
        {
            Undefined undefined => throw undefined.Failure(),
            PyDict d when d.TryGet(name, out var item) => item,
            _ => Undefined.Attribute(value, name),
        };
    }

    /// <summary><c>value[key]</c>: the item if there is one, else the attribute of that name, else undefined.</summary>
    public static object? Item(RenderState state, object? value, object? key)
    {
        switch (value)
        {
            case Undefined undefined:
                throw undefined.Failure();
            case PyDict dict:
                if (key is not (PyList or PyDict) && dict.TryGet(key, out var item))
                {
                    return item;
                }

                break;
            case IPySequence sequence when PyNumber.TryLong(key, out var index):
                index = index < 0 ? index + sequence.Count : index;
                if (index >= 0 && index < sequence.Count)
                {
                    return sequence[(int)index];
                }

                break;
            case string or Markup when PyNumber.TryLong(key, out var index):
                var text = Py.Text(value)!;
                var length = PyText.Length(text);
                index = index < 0 ? index + length : index;
                if (index >= 0 && index < length)
                {
                    var start = PyText.Offset(text, (int)index);
                    return text.Substring(start, char.IsSurrogate(text[start]) && start + 1 < text.Length ? 2 : 1);
                }

                break;
        }

        if (Py.Text(key) is { } name)
        {
            return TryAttribute(state, value, name, out var attribute) ? attribute : Undefined.Attribute(value, name);
        }

        return new Undefined($"{Py.OwnerName(value)} has no element {Py.Repr(state, key)}");
    }

    /// <summary><c>value.name</c> without falling back to items.</summary>
    public static bool TryAttribute(RenderState state, object? value, string name, out object? attribute)
    {
        if (name.StartsWith('_') && value is not (Undefined or PyObject))
        {
            // What begins with an underscore is a way out of the sandbox in the reference, where it exists at all.
            attribute = name.StartsWith("__", StringComparison.Ordinal) ? Unsafe(value, name) : null;
            return attribute is not null;
        }

        attribute = null;
        return value switch
        {
            PyObject o => o.TryGetAttribute(name, out attribute),
            GroupTuple group when name is "grouper" or "list" => Set(group[name == "grouper" ? 0 : 1], out attribute),
            _ => Methods.TryGet(state, value, name, out attribute),
        };
    }

    public static Undefined Unsafe(object? value, string name)
        => new($"access to attribute {PyText.Repr(name)} of {PyText.Repr(Py.TypeName(value))} object is unsafe.", ChatTemplateFault.Security);

    /// <summary><c>value[start:stop:step]</c>.</summary>
    public static object? Slice(RenderState state, object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Failure();
        }

        var text = Py.Text(value);
        if (text is null && value is not IPySequence)
        {
            throw TemplateFailure.Type(value is PyDict ? "unhashable type: 'slice'" : $"'{Py.TypeName(value)}' object is not subscriptable");
        }

        var length = Py.Length(value);
        var by = step is null ? 1 : Index(step);
        if (by == 0)
        {
            throw TemplateFailure.Type("slice step cannot be zero");
        }

        var (low, high) = by > 0 ? (0, length) : (-1, length - 1);
        var from = start is null ? (by > 0 ? low : high) : Clip(Index(start), length, low, high);
        var to = stop is null ? (by > 0 ? high : low) : Clip(Index(stop), length, low, high);
        if (text is not null && by == 1)
        {
            var begin = PyText.Offset(text, from);
            var end = to > from ? PyText.Offset(text, to) : begin;
            state.ChargeText(end - begin);
            return Like(value, text[begin..end]);
        }

        var count = by > 0 ? Math.Max(0, ((long)to - from + by - 1) / by) : Math.Max(0, ((long)from - to - by - 1) / -(long)by);
        state.ChargeItems(count);
        if (value is PyRange range)
        {
            return new PyRange(range.Start + (from * range.Step), range.Start + (to * range.Step), range.Step * by);
        }

        var source = text is null ? null : PyText.Characters(text).ToList();
        var items = new List<object?>((int)count);
        for (var i = 0; i < count; i++)
        {
            var at = (int)(from + ((long)i * by));
            items.Add(source is null ? ((IPySequence)value!)[at] : source[at]);
        }

        return text is not null ? Like(value, string.Concat(items)) : value is PyTuple ? new PyTuple([.. items]) : new PyList(items);
    }

    private static object Like(object? original, string text) => original is Markup ? new Markup(text) : text;

    private static int Index(object? value) => PyNumber.IsNumber(value) && value is not double
        ? Py.Int(value)
        : throw TemplateFailure.Type("slice indices must be integers or None or have an __index__ method");

    private static int Clip(int index, int length, int low, int high)
        => Math.Clamp(index < 0 ? (int)Math.Max(int.MinValue, (long)index + length) : index, low, high);

    private static bool Set(object? value, out object? attribute)
    {
        attribute = value;
        return true;
    }
}
