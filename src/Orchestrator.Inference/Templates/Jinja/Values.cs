namespace Orchestrator.Inference.Templates.Jinja;

// The values of templates: null (None), bool, long, BigInteger, double, string, and the classes below. None of them
// can be changed by a template once made (the sandbox is the immutable one), except a Namespace.

/// <summary>What can be looped over.</summary>
internal interface IPyIterable
{
    IEnumerable<object?> Iterate();
}

/// <summary>What has a length.</summary>
internal interface IPySized : IPyIterable
{
    int Count { get; }
}

/// <summary>What has items at integer positions.</summary>
internal interface IPySequence : IPySized
{
    object? this[int index] { get; }
}

internal sealed class PyList(List<object?> items) : IPySequence
{
    public List<object?> Items { get; } = items;

    public int Count => Items.Count;

    public object? this[int index] => Items[index];

    public IEnumerable<object?> Iterate() => Items;
}

internal class PyTuple(params object?[] items) : IPySequence
{
    public object?[] Items { get; } = items;

    public int Count => Items.Length;

    public object? this[int index] => Items[index];

    public IEnumerable<object?> Iterate() => Items;
}

/// <summary>A group of the <c>groupby</c> filter: a tuple whose items have names.</summary>
internal sealed class GroupTuple(object? grouper, PyList list) : PyTuple(grouper, list);

internal sealed class PyRange(long start, long stop, long step) : IPySequence
{
    public long Start { get; } = start;

    public long Stop { get; } = stop;

    public long Step { get; } = step;

    public int Count { get; } = Length(start, stop, step);

    public object? this[int index] => PyNumber.Box(Start + (index * Step));

    public IEnumerable<object?> Iterate()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    private static int Length(long start, long stop, long step)
    {
        if (step == 0)
        {
            throw TemplateFailure.Type("range() arg 3 must not be zero");
        }

        var length = step > 0
            ? ((Int128)stop - start + step - 1) / step
            : ((Int128)start - stop - step - 1) / -(Int128)step;
        return length <= 100_000
            ? (int)Int128.Max(length, 0)
            : throw TemplateFailure.Limit("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
    }
}

/// <summary>A dictionary in the order of insertion, with any hashable keys.</summary>
internal sealed class PyDict : IPySized
{
    private static readonly object NoneKey = new();
    private readonly OrderedDictionary<object, object?> _items = new(PyKeyComparer.Instance);

    public int Count => _items.Count;

    public object? this[object? key]
    {
        set => _items[ToKey(key)] = value;
    }

    public IEnumerable<KeyValuePair<object?, object?>> Items
    {
        get
        {
            foreach (var (key, value) in _items)
            {
                yield return new(ReferenceEquals(key, NoneKey) ? null : key, value);
            }
        }
    }

    public bool TryGet(object? key, out object? value) => _items.TryGetValue(ToKey(key), out value);

    /// <summary>A text is always hashable, and is what nearly all keys are.</summary>
    public bool TryGet(string key, out object? value) => _items.TryGetValue(key, out value);

    public IEnumerable<object?> Iterate() => Items.Select(p => p.Key);

    private static object ToKey(object? key)
    {
        switch (key)
        {
            case null:
                return NoneKey;
            case PyList or PyDict or DictView:
                throw TemplateFailure.Type($"unhashable type: '{Py.TypeName(key)}'");
            case PyTuple tuple:
                PyKeyComparer.CheckHashable(tuple);
                return key;
            case Markup markup:
                return markup.Text;
            default:
                return key;
        }
    }
}

/// <summary>Whether keys are equal as Python has it: 1, 1.0 and True are one key.</summary>
internal sealed class PyKeyComparer : IEqualityComparer<object>
{
    private const int MaxTupleSize = 1000;

    public static PyKeyComparer Instance { get; } = new();

    public static void CheckHashable(PyTuple tuple)
    {
        var left = MaxTupleSize;
        Visit(tuple, ref left);
    }

    public new bool Equals(object? x, object? y)
    {
        if (x is string a)
        {
            return y is string b && a == b;
        }

        if (x is PyTuple s && y is PyTuple t)
        {
            return s.Count == t.Count && s.Items.Zip(t.Items).All(p => Equals(p.First, p.Second));
        }

        return x is not null && y is not null && PyNumber.IsNumber(x) && PyNumber.IsNumber(y)
            ? PyNumber.Compare(x, y) == 0
            : object.Equals(x, y);
    }

    public int GetHashCode(object obj)
    {
        switch (obj)
        {
            case string text:
                return text.GetHashCode(StringComparison.Ordinal);
            case PyTuple tuple:
                var hash = default(HashCode);
                foreach (var item in tuple.Items)
                {
                    hash.Add(item is null ? 0 : GetHashCode(item));
                }

                return hash.ToHashCode();
            case long or bool or double or System.Numerics.BigInteger:
                return PyNumber.ToDouble(obj).GetHashCode();
            default:
                return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj);
        }
    }

    private static void Visit(PyTuple tuple, ref int left)
    {
        foreach (var item in tuple.Items)
        {
            if (--left < 0)
            {
                throw TemplateFailure.Limit($"a tuple of more than {MaxTupleSize} items is used as a key");
            }

            if (item is PyList or PyDict)
            {
                throw TemplateFailure.Type($"unhashable type: '{Py.TypeName(item)}'");
            }

            if (item is PyTuple inner)
            {
                Visit(inner, ref left);
            }
        }
    }
}

/// <summary>What <c>dict.items()</c>, <c>keys()</c> and <c>values()</c> give.</summary>
internal sealed class DictView(string kind, PyDict dict) : IPySized
{
    public string Kind { get; } = kind;

    public PyDict Dict { get; } = dict;

    public int Count => Dict.Count;

    public IEnumerable<object?> Iterate() => Kind switch
    {
        "dict_keys" => Dict.Iterate(),
        "dict_values" => Dict.Items.Select(p => p.Value),
        _ => Dict.Items.Select(p => (object?)new PyTuple(p.Key, p.Value)),
    };
}

/// <summary>A generator or iterator: it can be gone through once.</summary>
internal sealed class PyIterator(string type, IEnumerable<object?> source) : IPyIterable
{
    private readonly IEnumerator<object?> _items = source.GetEnumerator();

    public string Type { get; } = type;

    public bool TryNext(out object? item)
    {
        var found = _items.MoveNext();
        item = found ? _items.Current : null;
        return found;
    }

    public IEnumerable<object?> Iterate()
    {
        while (TryNext(out var item))
        {
            yield return item;
        }
    }
}

/// <summary>A text marked as safe. Only operations that join it with other text tell it from an ordinary one.</summary>
internal sealed record Markup(string Text);

/// <summary>What isn't there: prints as nothing, is false and empty, and fails where anything else is done with it.</summary>
internal sealed class Undefined(string message, ChatTemplateFault fault = ChatTemplateFault.Undefined)
{
    public TemplateFailure Failure() => new(fault, message);

    public static Undefined Name(string name) => new($"{PyText.Repr(name)} is undefined");

    public static Undefined Attribute(object? owner, string name) => new($"{PyText.Repr(Py.OwnerName(owner))} has no attribute {PyText.Repr(name)}");

    // All undefined values are equal.
    public override bool Equals(object? obj) => obj is Undefined;

    public override int GetHashCode() => 0;
}

/// <summary>A value with attributes of its own.</summary>
internal abstract class PyObject
{
    public abstract string TypeName { get; }

    public virtual string Repr => $"<{TypeName}>";

    public virtual bool TryGetAttribute(string name, out object? value)
    {
        value = null;
        return false;
    }
}

/// <summary>The one value that can be changed: <c>{% set ns.x = … %}</c>.</summary>
internal sealed class Namespace : PyObject
{
    public Dictionary<string, object?> Attributes { get; } = [];

    public override string TypeName => "Namespace";

    public override string Repr => "<Namespace " + Py.Repr(null, ToDict()) + ">";

    public override bool TryGetAttribute(string name, out object? value) => Attributes.TryGetValue(name, out value);

    private PyDict ToDict()
    {
        var dict = new PyDict();
        foreach (var (key, value) in Attributes)
        {
            dict[key] = value;
        }

        return dict;
    }
}
