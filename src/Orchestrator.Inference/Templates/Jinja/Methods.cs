using System.Collections.Frozen;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>The methods of built-in types. Those that change their object are there, but refuse to be called.</summary>
internal static class Methods
{
    private static readonly FrozenSet<string> ListMutators = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly FrozenSet<string> DictMutators = ["clear", "pop", "popitem", "setdefault", "update"];

    public static bool TryGet(RenderState state, object? value, string name, out object? method)
    {
        Func<RenderState, Arguments, object?>? body = null;
        switch (value)
        {
            case string or Markup:
                method = StringMethods.Find(value, name);
                return method is not null;
            case PyDict dict:
                if (DictMutators.Contains(name))
                {
                    method = Lookup.Unsafe(value, name);
                    return true;
                }

                body = name switch
                {
                    "get" => (_, a) => Get(dict, a),
                    "items" => (_, _) => new DictView("dict_items", dict),
                    "keys" => (_, _) => new DictView("dict_keys", dict),
                    "values" => (_, _) => new DictView("dict_values", dict),
                    "copy" => (s, _) => Copy(s, dict),
                    _ => null,
                };
                break;
            case PyList when ListMutators.Contains(name):
                method = Lookup.Unsafe(value, name);
                return true;
            case PyList or PyTuple or PyRange:
                var sequence = (IPySequence)value;
                body = name switch
                {
                    "index" => (s, a) => Index(s, sequence, a),
                    "count" => (s, a) => PyNumber.Box(Py.ToList(s, sequence).LongCount(i => Operators.Equals(s, i, a.Bind("count", 1, "value")[0]))),
                    "copy" when value is PyList => (s, _) => new PyList(Py.ToList(s, sequence)),
                    _ => null,
                };
                break;
            case double d when name == "is_integer":
                body = (_, _) => PyNumber.Box(double.IsFinite(d) && Math.Floor(d) == d);
                break;
            case long or bool or System.Numerics.BigInteger when name is "bit_length" or "bit_count":
                PyNumber.TryInteger(value, out var integer);
                integer = System.Numerics.BigInteger.Abs(integer);
                body = (_, _) => PyNumber.Box(name == "bit_length" ? integer.GetBitLength() : integer.ToByteArray().Sum(b => (long)System.Numerics.BitOperations.PopCount(b)));
                break;
            case long or bool or System.Numerics.BigInteger or double when name is "real":
                method = value;
                return true;
        }

        method = body is null ? null : new Function(name, "builtin_function_or_method", body);
        return body is not null;
    }

    private static object? Get(PyDict dict, Arguments arguments)
    {
        var a = arguments.Bind("get", 1, "key", "default");
        return dict.TryGet(a[0], out var value) ? value : Filters.Optional(a[1], null);
    }

    private static PyDict Copy(RenderState state, PyDict dict)
    {
        state.ChargeItems(dict.Count);
        var copy = new PyDict();
        foreach (var (key, value) in dict.Items)
        {
            copy[key] = value;
        }

        return copy;
    }

    private static object? Index(RenderState state, IPySequence sequence, Arguments arguments)
    {
        var a = arguments.Bind("index", 1, "value", "start", "stop");
        for (var i = Arguments.IsMissing(a[1]) ? 0 : Math.Max(0, Py.Int(a[1])); i < sequence.Count; i++)
        {
            if (Operators.Equals(state, sequence[i], a[0]))
            {
                return PyNumber.Box((long)i);
            }
        }

        throw TemplateFailure.Type($"{Py.Repr(state, a[0])} is not in {Py.TypeName(sequence)}");
    }
}
