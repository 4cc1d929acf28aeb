using System.Numerics;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>What every Python value can be asked: its truth, text, type, length, items.</summary>
internal static class Py
{
    public static bool Truth(object? value) => value switch
    {
        null => false,
        bool b => b,
        string s => s.Length > 0,
        long l => l != 0,
        double d => d != 0,
        BigInteger big => !big.IsZero,
        IPySized sized => sized.Count > 0,
        Markup m => m.Text.Length > 0,
        Undefined => false,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PyList => "list",
        GroupTuple => "_GroupTuple",
        PyTuple => "tuple",
        PyDict => "dict",
        PyRange => "range",
        DictView view => view.Kind,
        PyIterator iterator => iterator.Type,
        Undefined => "Undefined",
        PyObject o => o.TypeName,
        _ => value.GetType().Name,
    };

    /// <summary>How an object is called in messages about its attributes.</summary>
    public static string OwnerName(object? value) => value is null ? "None" : TypeName(value) + " object";

    /// <summary>The text of a string value, safe or not, or null for other values.</summary>
    public static string? Text(object? value) => value as string ?? (value as Markup)?.Text;

    /// <summary>Python's <c>str()</c>.</summary>
    public static string Str(RenderState? state, object? value) => value switch
    {
        string s => s,
        Markup m => m.Text,
        null => "None",
        bool b => b ? "True" : "False",
        long l => l.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Undefined => "",
        double d => PyFloat.Repr(d),
        _ => Repr(state, value),
    };

    /// <summary>Python's <c>repr()</c>.</summary>
    public static string Repr(RenderState? state, object? value)
    {
        if (value is string s)
        {
            return PyText.Repr(s);
        }

        var text = new StringBuilder();
        WriteRepr(state, value, text);
        return text.ToString();
    }

    private static void WriteRepr(RenderState? state, object? value, StringBuilder text)
    {
        RenderState.CheckStack();
        state?.ChargeText(text.Length & 7);
        if (state is not null && text.Length > state.MaxTextLength)
        {
            state.ChargeText(text.Length);
        }

        switch (value)
        {
            case string s:
                text.Append(PyText.Repr(s));
                break;
            case Markup m:
                text.Append("Markup(").Append(PyText.Repr(m.Text)).Append(')');
                break;
            case BigInteger big:
                text.Append(big.ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            case PyList list:
                WriteItems(state, list.Items, "[", "]", text);
                break;
            case PyTuple tuple:
                WriteItems(state, tuple.Items, "(", tuple.Count == 1 ? ",)" : ")", text);
                break;
            case PyDict dict:
                WriteDict(state, dict, text);
                break;
            case DictView view:
                WriteItems(state, view.Iterate(), view.Kind + "([", "])", text);
                break;
            case PyRange range:
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}{(range.Step == 1 ? "" : $", {range.Step}")})");
                break;
            case PyIterator iterator:
                text.Append('<').Append(iterator.Type).Append(" object>");
                break;
            case PyObject o:
                text.Append(o.Repr);
                break;
            default:
                text.Append(Str(state, value));
                break;
        }
    }

    private static void WriteItems(RenderState? state, IEnumerable<object?> items, string open, string close, StringBuilder text)
    {
        text.Append(open);
        var separator = "";
        foreach (var item in items)
        {
            text.Append(separator);
            WriteRepr(state, item, text);
            separator = ", ";
        }

        text.Append(close);
    }

    private static void WriteDict(RenderState? state, PyDict dict, StringBuilder text)
    {
        var separator = "{";
        foreach (var (key, value) in dict.Items)
        {
            text.Append(separator);
            WriteRepr(state, key, text);
            text.Append(": ");
            WriteRepr(state, value, text);
            separator = ", ";
        }

        text.Append(dict.Count == 0 ? "{}" : "}");
    }

    public static bool IsIterable(object? value) => value is IPyIterable or string or Markup or Undefined;

    /// <summary>Python's <c>iter()</c>.</summary>
    public static IEnumerable<object?> Iterate(object? value) => value switch
    {
        IPyIterable iterable => iterable.Iterate(),
        Undefined => [],
        _ when Text(value) is { } text => PyText.Characters(text),
        _ => throw TemplateFailure.Type($"'{TypeName(value)}' object is not iterable"),
    };

    /// <summary>The items as a list, counted as work.</summary>
    public static List<object?> ToList(RenderState state, object? value)
    {
        if (value is IPySized sized)
        {
            state.ChargeItems(sized.Count);
            return [.. sized.Iterate()];
        }

        var items = new List<object?>();
        foreach (var item in Iterate(value))
        {
            state.Charge();
            items.Add(item);
        }

        return items;
    }

    /// <summary>Python's <c>len()</c>.</summary>
    public static int Length(object? value) => value switch
    {
        IPySized sized => sized.Count,
        Undefined => 0,
        LoopContext loop => loop.Length,
        _ when Text(value) is { } text => PyText.Length(text),
        _ => throw TemplateFailure.Type($"object of type '{TypeName(value)}' has no len()"),
    };

    /// <summary>An argument that must be a whole number within 32 bits.</summary>
    public static int Int(object? value) => value switch
    {
        Undefined undefined => throw undefined.Failure(),
        _ when PyNumber.TryLong(value, out var l) => (int)Math.Clamp(l, int.MinValue, int.MaxValue),
        BigInteger big => big.Sign > 0 ? int.MaxValue : int.MinValue,
        _ => throw TemplateFailure.Type($"'{TypeName(value)}' object cannot be interpreted as an integer"),
    };

    /// <summary>An argument that must be a text.</summary>
    public static string RequireText(object? value, string what = "argument")
        => Text(value) ?? throw (value is Undefined undefined
            ? undefined.Failure()
            : TemplateFailure.Type($"{what} must be str, not {TypeName(value)}"));

    public static object? Call(RenderState state, object? callee, Arguments arguments) => callee switch
    {
        Callable callable => callable.Call(state, arguments),
        Undefined undefined => throw undefined.Failure(),
        _ => throw TemplateFailure.Type($"'{TypeName(callee)}' object is not callable"),
    };
}
