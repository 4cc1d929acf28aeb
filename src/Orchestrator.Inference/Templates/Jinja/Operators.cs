using System.Numerics;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's operators on values.</summary>
internal static class Operators
{
    public static object? Binary(RenderState state, string op, object? a, object? b)
    {
        if (op == "~")
        {
            return Concat(state, Py.Str(state, a), Py.Str(state, b));
        }

        if (PyNumber.IsNumber(a) && PyNumber.IsNumber(b))
        {
            return PyNumber.Apply(op, a!, b!);
        }

        if (op == "%" && Py.Text(a) is { } format)
        {
            var text = PercentFormat.Format(state, format, b);
            return a is Markup ? new Markup(text) : text;
        }

        return op switch
        {
            "+" when Sum(state, a, b) is { } sum => sum,
            "*" when PyNumber.TryInteger(b, out var times) && Repeat(state, a, times) is { } repeated => repeated,
            "*" when PyNumber.TryInteger(a, out var times) && Repeat(state, b, times) is { } repeated => repeated,
            _ => throw Unsupported(op, a, b),
        };
    }

    public static string Concat(RenderState state, string a, string b)
    {
        state.ChargeText((long)a.Length + b.Length);
        return string.Concat(a, b);
    }

    private static object? Sum(RenderState state, object? a, object? b)
    {
        switch (a, b)
        {
            case (string x, string y):
                return Concat(state, x, y);
            case (PyList x, PyList y):
                state.ChargeItems((long)x.Count + y.Count);
                return new PyList([.. x.Items, .. y.Items]);
            case (PyTuple x, PyTuple y):
                state.ChargeItems((long)x.Count + y.Count);
                return new PyTuple([.. x.Items, .. y.Items]);
            case (Markup or string, Markup or string):
                return new Markup(Concat(state, Escaped(a), Escaped(b)));
            default:
                return null;
        }
    }

    private static string Escaped(object? value) => value is Markup m ? m.Text : PyText.EscapeHtml((string)value!);

    private static object? Repeat(RenderState state, object? value, BigInteger times)
    {
        times = BigInteger.Max(times, 0);
        if (Py.Text(value) is { } text)
        {
            var length = times * text.Length;
            state.ChargeText(length > long.MaxValue ? long.MaxValue : (long)length);
            var result = length.IsZero ? "" : new System.Text.StringBuilder((int)length).Insert(0, text, (int)times).ToString();
            return value is Markup ? new Markup(result) : result;
        }

        if (value is not (PyList or PyTuple))
        {
            return null;
        }

        var items = ((IPySequence)value).Iterate();
        var count = times * ((IPySized)value).Count;
        state.ChargeItems(count > int.MaxValue ? int.MaxValue : (long)count);
        var list = new List<object?>((int)count);
        for (var i = 0; i < count && list.Count < count; i++)
        {
            list.AddRange(items);
        }

        return value is PyList ? new PyList(list) : new PyTuple([.. list]);
    }

    public static object? Unary(string op, object? value)
    {
        if (!PyNumber.IsNumber(value))
        {
            throw value is Undefined undefined ? undefined.Failure() : TemplateFailure.Type($"bad operand type for unary {op}: '{Py.TypeName(value)}'");
        }

        return op == "-" ? PyNumber.Negate(value!) : value is bool b ? PyNumber.Box(b ? 1L : 0L) : value;
    }

    public static bool Equals(RenderState state, object? a, object? b)
    {
        state.Charge();
        if (a is string x && b is string y)
        {
            return x == y;
        }

        if (PyNumber.IsNumber(a) && PyNumber.IsNumber(b))
        {
            return PyNumber.Compare(a!, b!) == 0;
        }

        switch (a, b)
        {
            case (PyList or PyTuple, PyList or PyTuple) when a is PyList == b is PyList:
                RenderState.CheckStack();
                var (s, t) = ((IPySequence)a, (IPySequence)b);
                if (s.Count != t.Count)
                {
                    return false;
                }

                for (var i = 0; i < s.Count; i++)
                {
                    if (!Equals(state, s[i], t[i]))
                    {
                        return false;
                    }
                }

                return true;
            case (PyDict d, PyDict e):
                RenderState.CheckStack();
                return d.Count == e.Count && d.Items.All(p => e.TryGet(p.Key, out var other) && Equals(state, p.Value, other));
            case (PyRange r, PyRange q):
                return r.Count == q.Count && (r.Count == 0 || (r.Start == q.Start && (r.Count == 1 || r.Step == q.Step)));
            case (string or Markup, string or Markup):
                return Py.Text(a) == Py.Text(b);
            default:
                return object.Equals(a, b);
        }
    }

    /// <summary>Orders two values as &lt; does; null where they are numbers that have no order (NaN).</summary>
    public static int? Order(RenderState state, string op, object? a, object? b)
    {
        state.Charge();
        if (PyNumber.IsNumber(a) && PyNumber.IsNumber(b))
        {
            return PyNumber.Compare(a!, b!);
        }

        if (Py.Text(a) is { } x && Py.Text(b) is { } y)
        {
            return PyText.Compare(x, y);
        }

        if ((a is PyList && b is PyList) || (a is PyTuple && b is PyTuple))
        {
            RenderState.CheckStack();
            var (s, t) = ((IPySequence)a, (IPySequence)b);
            for (var i = 0; i < s.Count && i < t.Count; i++)
            {
                if (!Equals(state, s[i], t[i]))
                {
                    return Order(state, op, s[i], t[i]);
                }
            }

            return s.Count.CompareTo(t.Count);
        }

        throw a is Undefined u ? u.Failure() : b is Undefined v ? v.Failure()
            : TemplateFailure.Type($"'{op}' not supported between instances of '{Py.TypeName(a)}' and '{Py.TypeName(b)}'");
    }

    public static bool Compare(RenderState state, string op, object? a, object? b) => op switch
    {
        "==" => Equals(state, a, b),
        "!=" => !Equals(state, a, b),
        "in" => Contains(state, b, a),
        "not in" => !Contains(state, b, a),
        "<" => Order(state, op, a, b) < 0,
        "<=" => Order(state, op, a, b) <= 0,
        ">" => Order(state, op, a, b) > 0,
        _ => Order(state, op, a, b) >= 0,
    };

    private static bool Contains(RenderState state, object? container, object? item)
    {
        if (Py.Text(container) is { } text)
        {
            state.Charge(text.Length >> 5);
            return Py.Text(item) is { } part
                ? text.Contains(part, StringComparison.Ordinal)
                : throw TemplateFailure.Type($"'in <string>' requires string as left operand, not {Py.TypeName(item)}");
        }

        if (container is PyDict dict)
        {
            return dict.TryGet(item, out _);
        }

        if (container is DictView { Kind: "dict_keys" } keys)
        {
            return keys.Dict.TryGet(item, out _);
        }

        if (!Py.IsIterable(container))
        {
            throw TemplateFailure.Type($"argument of type '{Py.TypeName(container)}' is not iterable");
        }

        return Py.Iterate(container).Any(element => Equals(state, element, item));
    }

    private static TemplateFailure Unsupported(string op, object? a, object? b)
    {
        if (a is Undefined || b is Undefined)
        {
            return ((Undefined)(a is Undefined ? a : b!)).Failure();
        }

        op = op == "**" ? "** or pow()" : op;
        return TemplateFailure.Type((op, a) switch
        {
            ("+", string or Markup) => $"can only concatenate str (not \"{Py.TypeName(b)}\") to str",
            ("+", PyList) => $"can only concatenate list (not \"{Py.TypeName(b)}\") to list",
            ("+", PyTuple) => $"can only concatenate tuple (not \"{Py.TypeName(b)}\") to tuple",
            _ => $"unsupported operand type(s) for {op}: '{Py.TypeName(a)}' and '{Py.TypeName(b)}'",
        });
    }
}
