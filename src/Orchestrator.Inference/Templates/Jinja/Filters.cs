using System.Collections.Frozen;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>
/// What can stand after <c>|</c>: the built-in filters of Jinja 3.1 and Hugging Face's <c>tojson</c>. Left out are
/// <c>random</c> (a prompt must not change by itself), and <c>urlize</c>, <c>wordwrap</c> and <c>pprint</c>, which are for people's eyes.
/// </summary>
internal static class Filters
{
    private static readonly FrozenDictionary<string, Filter> All = Build().ToFrozenDictionary();

    public static Filter? Find(string name) => All.GetValueOrDefault(name);

    private static Dictionary<string, Filter> Build()
    {
        var filters = new Dictionary<string, Filter>();
        TextFilters.AddTo(filters);
        SequenceFilters.AddTo(filters);
        SelectionFilters.AddTo(filters);
        filters["default"] = filters["d"] = Default;
        filters["abs"] = (_, v, _) => Abs(v);
        filters["int"] = ToInt;
        filters["float"] = (_, v, a) => ToFloat(v) ?? Optional(a.Bind("float", 0, "default")[0], 0.0);
        filters["round"] = Round;
        filters["length"] = filters["count"] = (_, v, _) => PyNumber.Box((long)Py.Length(v));
        filters["attr"] = Attribute;
        filters["items"] = Items;
        filters["tojson"] = ToJson;
        return filters;
    }

    public static object? Optional(object? value, object? byDefault) => Arguments.IsMissing(value) ? byDefault : value;

    private static object? Default(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("default", 0, "default_value", "boolean");
        var boolean = !Arguments.IsMissing(a[1]) && Py.Truth(a[1]);
        return value is Undefined || (boolean && !Py.Truth(value)) ? Optional(a[0], "") : value;
    }

    private static object Abs(object? value) => PyNumber.IsNumber(value)
        ? PyNumber.Compare(value!, 0L) < 0 ? PyNumber.Negate(value!) : value is bool ? Operators.Unary("+", value)! : value!
        : throw (value is Undefined u ? u.Failure() : TemplateFailure.Type($"bad operand type for abs(): '{Py.TypeName(value)}'"));

    private static object? ToInt(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("int", 0, "default", "base");
        var byDefault = Optional(a[0], 0L);
        if (Py.Text(value) is { } text && PyNumber.ParseInteger(text, Arguments.IsMissing(a[1]) ? 10 : Py.Int(a[1])) is { } integer)
        {
            return integer;
        }

        if (value is double infinite && double.IsInfinity(infinite))
        {
            throw TemplateFailure.Type("cannot convert float infinity to integer");
        }

        return ToFloat(value) is { } number && double.IsFinite(number)
            ? value is double or string or Markup ? PyNumber.Shrink(new System.Numerics.BigInteger(number)) : Operators.Unary("+", value)
            : byDefault;
    }

    private static double? ToFloat(object? value) => value switch
    {
        Undefined undefined => throw undefined.Failure(),
        _ when PyNumber.IsNumber(value) => PyNumber.ToDouble(value!),
        _ when Py.Text(value) is { } text => PyNumber.ParseFloat(text),
        _ => null,
    };

    private static object? Round(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("round", 0, "precision", "method");
        var precision = Arguments.IsMissing(a[0]) ? 0 : Py.Int(a[0]);
        var method = Arguments.IsMissing(a[1]) ? "common" : Py.Str(state, a[1]);
        if (!PyNumber.IsNumber(value))
        {
            throw value is Undefined u ? u.Failure() : TemplateFailure.Type($"type {Py.TypeName(value)} doesn't define __round__ method");
        }

        switch (method)
        {
            case "common" when value is double d:
                return PyFloat.Round(d, precision);
            case "common" when precision >= 0:
                return Operators.Unary("+", value);
            case "common":
                PyNumber.TryInteger(value, out var integer);
                var unit = System.Numerics.BigInteger.Pow(10, Math.Min(-precision, 1000));
                var quotient = System.Numerics.BigInteger.DivRem(System.Numerics.BigInteger.Abs(integer), unit, out var rest);
                var order = (rest * 2).CompareTo(unit);
                quotient += order > 0 || (order == 0 && !quotient.IsEven) ? 1 : 0;
                return PyNumber.Shrink(quotient * unit * (integer.Sign < 0 ? -1 : 1));
            case "ceil" or "floor":
                var scale = PyNumber.Apply("**", 10L, (long)precision);
                var scaled = PyNumber.ToDouble(PyNumber.Apply("*", value!, scale));
                return PyNumber.Apply("/", PyNumber.Shrink(new System.Numerics.BigInteger(method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled))), scale);
            default:
                throw TemplateFailure.Type("method must be common, ceil or floor");
        }
    }

    private static object? Attribute(RenderState state, object? value, Arguments arguments)
    {
        var name = Py.RequireText(arguments.Bind("attr", 1, "name")[0]);
        return value is Undefined u ? throw u.Failure()
            : Lookup.TryAttribute(state, value, name, out var attribute) ? attribute : Undefined.Attribute(value, name);
    }

    private static object? Items(RenderState state, object? value, Arguments arguments) => value switch
    {
        Undefined => new PyIterator("generator", []),
        PyDict dict => new PyIterator("generator", new DictView("dict_items", dict).Iterate()),
        _ => throw TemplateFailure.Type("Can only get item pairs from a mapping."),
    };

    private static object? ToJson(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        var indent = Optional(a[1], null);
        var (item, key) = (indent is null ? ", " : ",", ": ");
        if (Optional(a[2], null) is { } separators)
        {
            var pair = Py.ToList(state, separators);
            (item, key) = pair.Count == 2
                ? (Py.RequireText(pair[0]), Py.RequireText(pair[1]))
                : throw TemplateFailure.Type("separators must be a pair of strings");
        }

        var step = indent is null ? null : Py.Text(indent) ?? Spaces(state, Py.Int(indent));
        return new JsonText(state, Py.Truth(Optional(a[0], false)), step, item, key, Py.Truth(Optional(a[3], false))).Write(value);
    }

    public static string Spaces(RenderState state, int count)
    {
        state.ChargeText(Math.Max(count, 0));
        return new string(' ', Math.Max(count, 0));
    }
}
