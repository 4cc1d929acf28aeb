using System.Collections.Frozen;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>The functions that every template can call.</summary>
internal static class Globals
{
    public static FrozenDictionary<string, object?> All { get; } = new Dictionary<string, object?>
    {
        ["range"] = Make("range", (_, a) => Range(a)),
        ["dict"] = Make("dict", (state, a) => Dict(state, a)),
        ["namespace"] = Make("namespace", (state, a) => MakeNamespace(state, a)),
        ["cycler"] = Make("cycler", (_, a) => a.Positional.Length > 0 ? new Cycler(a.Positional) : throw TemplateFailure.Type("at least one item has to be provided")),
        ["joiner"] = Make("joiner", (_, a) => new Joiner(a.Bind("joiner", 0, "sep")[0] is var sep && Arguments.IsMissing(sep) ? ", " : sep)),
        ["raise_exception"] = Make("raise_exception", (state, a) => throw new TemplateFailure(ChatTemplateFault.Raised, Py.Str(state, a.Bind("raise_exception", 1, "message")[0]))),
        ["strftime_now"] = Make("strftime_now", (state, a) => StrfTime.Format(state.Time.GetLocalNow(), Py.RequireText(a.Bind("strftime_now", 1, "format")[0]))),
    }.ToFrozenDictionary();

    private static Function Make(string name, Func<RenderState, Arguments, object?> body) => new(name, "function", body);

    private static PyRange Range(Arguments arguments)
    {
        var p = arguments.Positional;
        return p.Length switch
        {
            1 => new PyRange(0, Long(p[0]), 1),
            2 => new PyRange(Long(p[0]), Long(p[1]), 1),
            3 => new PyRange(Long(p[0]), Long(p[1]), Long(p[2])),
            _ => throw TemplateFailure.Type($"range expected 1 to 3 arguments, got {p.Length}"),
        };
    }

    private static long Long(object? value) => PyNumber.TryLong(value, out var l) ? l : Py.Int(value);

    private static PyDict Dict(RenderState state, Arguments arguments)
    {
        var result = new PyDict();
        foreach (var source in arguments.Positional)
        {
            Fill(state, source, (key, value) => result[key] = value);
        }

        foreach (var (name, value) in arguments.Named ?? [])
        {
            result[name] = value;
        }

        return result;
    }

    private static Namespace MakeNamespace(RenderState state, Arguments arguments)
    {
        var result = new Namespace();
        foreach (var source in arguments.Positional)
        {
            Fill(state, source, (key, value) => result.Attributes[Py.Str(state, key)] = value);
        }

        foreach (var (name, value) in arguments.Named ?? [])
        {
            result.Attributes[name] = value;
        }

        return result;
    }

    private static void Fill(RenderState state, object? source, Action<object?, object?> set)
    {
        if (source is PyDict dict)
        {
            state.ChargeItems(dict.Count);
            foreach (var (key, value) in dict.Items)
            {
                set(key, value);
            }

            return;
        }

        foreach (var item in Py.ToList(state, source))
        {
            var pair = Py.ToList(state, item);
            if (pair.Count != 2)
            {
                throw TemplateFailure.Type($"dictionary update sequence element has length {pair.Count}; 2 is required");
            }

            set(pair[0], pair[1]);
        }
    }
}
