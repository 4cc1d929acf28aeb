using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Filters that take and give text.</summary>
internal static class TextFilters
{
    public static void AddTo(Dictionary<string, Filter> filters)
    {
        filters["string"] = (state, v, _) => v is Markup ? v : Py.Str(state, v);
        filters["safe"] = (state, v, _) => new Markup(Py.Str(state, v));
        filters["escape"] = filters["e"] = (state, v, _) => v is Markup ? v : new Markup(state.Made(PyText.EscapeHtml(Py.Str(state, v))));
        filters["forceescape"] = (state, v, _) => new Markup(state.Made(PyText.EscapeHtml(Py.Str(state, v))));
        filters["striptags"] = (state, v, _) => StripTags(Py.Str(state, v));
        filters["upper"] = Via((_, s) => PyText.Upper(s));
        filters["lower"] = Via((_, s) => PyText.Lower(s));
        filters["capitalize"] = Via((_, s) => PyText.Capitalize(s));
        filters["title"] = Via((_, s) => Title(s));
        filters["wordcount"] = (state, v, _) => PyNumber.Box(WordCount(Py.Str(state, v)));
        filters["trim"] = Trim;
        filters["replace"] = Replace;
        filters["indent"] = Indent;
        filters["center"] = (state, v, a) => Method(state, v, "center", new Arguments([a.Bind("center", 0, "width")[0] is var w && Arguments.IsMissing(w) ? 80L : w]));
        filters["truncate"] = Truncate;
        filters["format"] = Format;
        filters["urlencode"] = (state, v, _) => UrlEncode(state, v);
        filters["filesizeformat"] = FileSize;
        filters["xmlattr"] = XmlAttributes;
    }

    /// <summary>Calls a method of the value's text; a safe text stays safe.</summary>
    private static object? Method(RenderState state, object? value, string name, Arguments arguments)
    {
        object text = value is Markup ? value : Py.Str(state, value);
        return Methods.TryGet(state, text, name, out var method) ? Py.Call(state, method, arguments) : null;
    }

    private static Filter Via(Func<RenderState, string, string> change) => (state, value, arguments) =>
    {
        arguments.Bind("filter", 0);
        var result = state.Made(change(state, Py.Str(state, value)));
        return value is Markup ? new Markup(result) : result;
    };

    private static object? Trim(RenderState state, object? value, Arguments arguments)
    {
        var chars = Filters.Optional(arguments.Bind("trim", 0, "chars")[0], null);
        return Method(state, value, "strip", new Arguments([chars]));
    }

    private static object? Replace(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("replace", 2, "old", "new", "count");
        var count = Filters.Optional(a[2], null) is { } n ? Py.Int(n) : -1;
        return StringMethods.Replace(state, Py.Str(state, value), Py.Str(state, a[0]), Py.Str(state, a[1]), count);
    }

    private static object? Indent(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("indent", 0, "width", "first", "blank");
        var width = Filters.Optional(a[0], 4L);
        var by = Py.Text(width) ?? Filters.Spaces(state, Py.Int(width));
        var blank = Py.Truth(Filters.Optional(a[2], false));
        var text = Operators.Binary(state, "+", value, value is Markup ? new Markup("\n") : "\n");
        var lines = PyText.SplitLines(Py.Text(text)!, keepEnds: false);
        state.ChargeText(Py.Text(text)!.Length + ((long)lines.Count * by.Length));
        var result = new StringBuilder(Py.Truth(Filters.Optional(a[1], false)) ? by : "");
        for (var i = 0; i < lines.Count; i++)
        {
            result.Append(i > 0 ? "\n" : "").Append(i > 0 && (blank || lines[i].Length > 0) ? by : "").Append(lines[i]);
        }

        return value is Markup ? new Markup(result.ToString()) : result.ToString();
    }

    /// <summary>Each word's first letter upper case; words begin after white space, -, (, {, [ and &lt;.</summary>
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var word = new StringBuilder();
        void End()
        {
            if (word.Length > 0)
            {
                var w = word.ToString();
                var first = w.Length > 1 && char.IsSurrogatePair(w[0], w[1]) ? 2 : 1;
                result.Append(PyText.Upper(w[..first])).Append(PyText.Lower(w[first..]));
                word.Clear();
            }
        }

        foreach (var c in text)
        {
            if (PyText.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<')
            {
                End();
                result.Append(c);
            }
            else
            {
                word.Append(c);
            }
        }

        End();
        return result.ToString();
    }

    private static long WordCount(string text)
    {
        var count = 0;
        var inside = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var part = rune.Value == '_' || Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune);
            count += part && !inside ? 1 : 0;
            inside = part;
        }

        return count;
    }

    private static object? Truncate(RenderState state, object? value, Arguments arguments)
    {
        var a = arguments.Bind("truncate", 0, "length", "killwords", "end", "leeway");
        var length = Arguments.IsMissing(a[0]) ? 255 : Py.Int(a[0]);
        var end = Py.Str(state, Filters.Optional(a[2], "..."));
        var leeway = Filters.Optional(a[3], null) is { } n ? Py.Int(n) : 5;
        if (length < PyText.Length(end) || leeway < 0)
        {
            throw TemplateFailure.Type($"expected length >= {PyText.Length(end)}, got {length}");
        }

        var text = Py.RequireText(value);
        if (PyText.Length(text) <= (long)length + leeway)
        {
            return value;
        }

        var kept = text[..PyText.Offset(text, length - PyText.Length(end))];
        var space = Py.Truth(Filters.Optional(a[1], false)) ? -1 : kept.LastIndexOf(' ');
        return (space < 0 ? kept : kept[..space]) + end;
    }

    private static object? Format(RenderState state, object? value, Arguments arguments)
    {
        if (arguments.Named is null)
        {
            return PercentFormat.Format(state, Py.Str(state, value), new PyTuple(arguments.Positional));
        }

        if (arguments.Positional.Length > 0)
        {
            throw TemplateFailure.Type("can't handle positional and keyword arguments at the same time");
        }

        var dict = new PyDict();
        foreach (var (name, argument) in arguments.Named)
        {
            dict[name] = argument;
        }

        return PercentFormat.Format(state, Py.Str(state, value), dict);
    }

    private static object? UrlEncode(RenderState state, object? value)
    {
        if (Py.Text(value) is not null || !Py.IsIterable(value))
        {
            return Quote(Py.Str(state, value), query: false);
        }

        var pairs = Py.ToList(state, value is PyDict dict ? new DictView("dict_items", dict) : value)
            .Select(p => Py.ToList(state, p))
            .Select(p => Quote(Py.Str(state, p[0]), query: true) + "=" + Quote(Py.Str(state, p[1]), query: true));
        return state.Made(string.Join('&', pairs));
    }

    private static string Quote(string text, bool query)
    {
        var result = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            _ = char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '~' || (c == '/' && !query) ? result.Append(c)
                : c == ' ' && query ? result.Append('+')
                : result.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return result.ToString();
    }

    private static object? FileSize(RenderState state, object? value, Arguments arguments)
    {
        var binary = Py.Truth(Filters.Optional(arguments.Bind("filesizeformat", 0, "binary")[0], false));
        var bytes = PyNumber.IsNumber(value) ? PyNumber.ToDouble(value!)
            : PyNumber.ParseFloat(Py.Str(state, value)) ?? throw TemplateFailure.Type("could not convert to float");
        var unit = binary ? 1024d : 1000d;
        if (bytes == 1)
        {
            return "1 Byte";
        }

        if (bytes < unit)
        {
            return $"{Math.Truncate(bytes)} Bytes";
        }

        var i = 0;
        for (bytes /= unit; bytes >= unit && i < 7; i++)
        {
            bytes /= unit;
        }

        return PyFloat.Fixed(bytes, 1) + " " + (binary ? $"{"KMGTPEZY"[i]}iB" : $"{"kMGTPEZY"[i]}B");
    }

    private static object? XmlAttributes(RenderState state, object? value, Arguments arguments)
    {
        var dict = value as PyDict ?? throw TemplateFailure.Type("xmlattr needs a mapping");
        var autospace = Py.Truth(Filters.Optional(arguments.Bind("xmlattr", 0, "autospace")[0], true));
        var pairs = dict.Items.Where(p => p.Value is not (null or Undefined)).Select(p =>
        {
            var key = Py.Str(state, p.Key);
            return key.Any(c => PyText.IsSpace(c) || c is '/' or '>' or '=')
                ? throw TemplateFailure.Type($"Invalid character in attribute name: {PyText.Repr(key)}")
                : $"{PyText.EscapeHtml(key)}=\"{(p.Value as Markup)?.Text ?? PyText.EscapeHtml(Py.Str(state, p.Value))}\"";
        });
        var result = state.Made(string.Join(' ', pairs));
        return autospace && result.Length > 0 ? " " + result : result;
    }

    private static Markup StripTags(string text)
    {
        text = Remove(text, "<!--", "-->");
        text = Remove(text, "<", ">");
        var words = string.Join(' ', StringMethods.SplitSpace(text, -1));
        return new Markup(System.Net.WebUtility.HtmlDecode(words));
    }

    private static string Remove(string text, string open, string close)
    {
        var result = new StringBuilder();
        var at = 0;
        while (text.IndexOf(open, at, StringComparison.Ordinal) is var start and >= 0
            && text.IndexOf(close, start, StringComparison.Ordinal) is var end and >= 0)
        {
            result.Append(text, at, start - at);
            at = end + close.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }
}
