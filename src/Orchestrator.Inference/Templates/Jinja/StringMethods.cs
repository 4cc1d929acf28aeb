using System.Collections.Frozen;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>The methods of texts.</summary>
internal static class StringMethods
{
    private delegate object? Method(RenderState state, string text, Arguments arguments);

    private static readonly FrozenDictionary<string, Method> All = Build().ToFrozenDictionary();

    public static Function? Find(object owner, string name)
    {
        if (!All.TryGetValue(name, out var method))
        {
            return null;
        }

        var text = Py.Text(owner)!;
        return new Function(name, "builtin_function_or_method", (state, a) =>
        {
            var result = method(state, text, a);
            result = result is string made ? state.Made(made) : result;
            return owner is Markup && result is string safe ? new Markup(safe) : result;
        });
    }

    private static Dictionary<string, Method> Build()
    {
        var methods = new Dictionary<string, Method>
        {
            ["upper"] = (_, s, _) => PyText.Upper(s),
            ["lower"] = (_, s, _) => PyText.Lower(s),
            ["casefold"] = (_, s, _) => PyText.Lower(s).Replace("ß", "ss", StringComparison.Ordinal).Replace('ς', 'σ'),
            ["capitalize"] = (_, s, _) => PyText.Capitalize(s),
            ["title"] = (_, s, _) => Title(s),
            ["swapcase"] = (_, s, _) => string.Concat(s.Select(c => char.IsUpper(c) ? PyText.Lower(c.ToString()) : PyText.Upper(c.ToString()))),
            ["strip"] = (_, s, a) => Strip(s, a, start: true, end: true),
            ["lstrip"] = (_, s, a) => Strip(s, a, start: true, end: false),
            ["rstrip"] = (_, s, a) => Strip(s, a, start: false, end: true),
            ["split"] = (state, s, a) => Split(state, s, a, fromEnd: false),
            ["rsplit"] = (state, s, a) => Split(state, s, a, fromEnd: true),
            ["splitlines"] = (state, s, a) => List(state, PyText.SplitLines(s, Py.Truth(Filters.Optional(a.Bind("splitlines", 0, "keepends")[0], false)))),
            ["join"] = Join,
            ["replace"] = (state, s, a) => a.Bind("replace", 2, "old", "new", "count") is var b
                ? Replace(state, s, Py.RequireText(b[0], "replace() argument 1"), Py.RequireText(b[1], "replace() argument 2"), Arguments.IsMissing(b[2]) ? -1 : Py.Int(b[2])) : null,
            ["startswith"] = (_, s, a) => Affix(s, a, "startswith", (t, p) => t.StartsWith(p, StringComparison.Ordinal)),
            ["endswith"] = (_, s, a) => Affix(s, a, "endswith", (t, p) => t.EndsWith(p, StringComparison.Ordinal)),
            ["removeprefix"] = (_, s, a) => Py.RequireText(a.Bind("removeprefix", 1, "prefix")[0]) is var p && s.StartsWith(p, StringComparison.Ordinal) ? s[p.Length..] : s,
            ["removesuffix"] = (_, s, a) => Py.RequireText(a.Bind("removesuffix", 1, "suffix")[0]) is var p && s.EndsWith(p, StringComparison.Ordinal) ? s[..^p.Length] : s,
            ["find"] = (_, s, a) => PyNumber.Box((long)Find(s, a, last: false)),
            ["rfind"] = (_, s, a) => PyNumber.Box((long)Find(s, a, last: true)),
            ["index"] = (_, s, a) => Found(Find(s, a, last: false)),
            ["rindex"] = (_, s, a) => Found(Find(s, a, last: true)),
            ["count"] = (_, s, a) => PyNumber.Box(Count(s, a)),
            ["partition"] = (_, s, a) => Partition(s, a, last: false),
            ["rpartition"] = (_, s, a) => Partition(s, a, last: true),
            ["center"] = (state, s, a) => Pad(state, s, a, "center"),
            ["ljust"] = (state, s, a) => Pad(state, s, a, "ljust"),
            ["rjust"] = (state, s, a) => Pad(state, s, a, "rjust"),
            ["zfill"] = (state, s, a) => ZeroFill(state, s, Py.Int(a.Bind("zfill", 1, "width")[0])),
            ["expandtabs"] = ExpandTabs,
            ["format"] = BraceFormat.Format,
            ["format_map"] = (state, s, a) => BraceFormat.FormatMap(state, s, a.Bind("format_map", 1, "mapping")[0]),
        };
        foreach (var name in new[] { "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper" })
        {
            methods[name] = (_, s, _) => PyNumber.Box(StringPredicates.Test(name, s));
        }

        return methods;
    }

    public static string Replace(RenderState state, string text, string old, string by, int count)
    {
        if (count == 0)
        {
            return text;
        }

        state.Charge(1 + (text.Length >> 5));
        if (old.Length > 0 && count < 0)
        {
            var times = by.Length > old.Length ? Occurrences(text, old) : 0;
            state.ChargeText(text.Length + ((long)times * (by.Length - old.Length)));
            return text.Replace(old, by, StringComparison.Ordinal);
        }

        var result = new StringBuilder();
        if (old.Length == 0)
        {
            // An empty text is found before every character and at the end.
            foreach (var c in PyText.Characters(text).Append(""))
            {
                result.Append(count == 0 ? "" : by).Append(c);
                count = Math.Max(count - 1, count < 0 ? -1 : 0);
                state.ChargeText(by.Length);
                if (result.Length > state.MaxTextLength)
                {
                    break;
                }
            }

            return result.ToString();
        }

        var at = 0;
        for (; count > 0 && text.IndexOf(old, at, StringComparison.Ordinal) is var i and >= 0; count--)
        {
            result.Append(text, at, i - at).Append(by);
            at = i + old.Length;
            state.ChargeText(by.Length);
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    public static IEnumerable<string> SplitSpace(string text, int max)
    {
        var i = 0;
        while (true)
        {
            while (i < text.Length && PyText.IsSpace(text[i]))
            {
                i++;
            }

            if (i == text.Length)
            {
                yield break;
            }

            if (max-- == 0)
            {
                yield return text[i..];
                yield break;
            }

            var start = i;
            while (i < text.Length && !PyText.IsSpace(text[i]))
            {
                i++;
            }

            yield return text[start..i];
        }
    }

    private static IEnumerable<string> SplitSpaceFromEnd(string text, int max)
    {
        var parts = new List<string>();
        var i = text.Length;
        while (true)
        {
            while (i > 0 && PyText.IsSpace(text[i - 1]))
            {
                i--;
            }

            if (i == 0)
            {
                break;
            }

            if (max-- == 0)
            {
                parts.Add(text[..i]);
                break;
            }

            var end = i;
            while (i > 0 && !PyText.IsSpace(text[i - 1]))
            {
                i--;
            }

            parts.Add(text[i..end]);
        }

        parts.Reverse();
        return parts;
    }

    private static object? Split(RenderState state, string text, Arguments arguments, bool fromEnd)
    {
        var a = arguments.Bind(fromEnd ? "rsplit" : "split", 0, "sep", "maxsplit");
        var max = Arguments.IsMissing(a[1]) ? -1 : Py.Int(a[1]);
        state.Charge(text.Length >> 5);
        if (Filters.Optional(a[0], null) is not { } by)
        {
            return List(state, fromEnd && max >= 0 ? SplitSpaceFromEnd(text, max) : SplitSpace(text, max));
        }

        var separator = Py.RequireText(by, "separator");
        if (separator.Length == 0)
        {
            throw TemplateFailure.Type("empty separator");
        }

        if (!fromEnd || max < 0)
        {
            return List(state, max < 0 ? text.Split(separator) : text.Split(separator, max == int.MaxValue ? max : max + 1));
        }

        var parts = new List<string>();
        var end = text.Length;
        while (max-- > 0 && end >= separator.Length && text.LastIndexOf(separator, end - 1, StringComparison.Ordinal) is var i and >= 0)
        {
            parts.Add(text[(i + separator.Length)..end]);
            end = i;
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return List(state, parts);
    }

    private static PyList List(RenderState state, IEnumerable<string> items)
    {
        var list = new List<object?>();
        foreach (var item in items)
        {
            state.Charge();
            list.Add(item);
        }

        return new PyList(list);
    }

    private static object? Join(RenderState state, string separator, Arguments arguments)
    {
        var result = new StringBuilder();
        var i = 0;
        foreach (var item in Py.Iterate(arguments.Bind("join", 1, "iterable")[0]))
        {
            var text = Py.Text(item) ?? throw TemplateFailure.Type($"sequence item {i}: expected str instance, {Py.TypeName(item)} found");
            result.Append(i++ > 0 ? separator : "").Append(text);
            state.Charge();
            if (result.Length > state.MaxTextLength)
            {
                break;
            }
        }

        return result.ToString();
    }

    private static string Strip(string text, Arguments arguments, bool start, bool end)
    {
        var chars = Filters.Optional(arguments.Bind("strip", 0, "chars")[0], null);
        var set = chars is null ? null : Py.RequireText(chars, "strip arg");
        bool Drops(char c) => set is null ? PyText.IsSpace(c) : set.Contains(c, StringComparison.Ordinal);
        var (from, to) = (0, text.Length);
        while (start && from < to && Drops(text[from]))
        {
            from++;
        }

        while (end && to > from && Drops(text[to - 1]))
        {
            to--;
        }

        return text[from..to];
    }

    private static object Affix(string text, Arguments arguments, string method, Func<string, string, bool> matches)
    {
        var a = arguments.Bind(method, 1, "prefix", "start", "end");
        var (from, to) = Range(text, a[1], a[2]);
        if (from > to)
        {
            return PyNumber.Box(false);
        }

        var part = text[from..to];
        return PyNumber.Box(a[0] is PyTuple tuple
            ? tuple.Items.Any(p => matches(part, Py.RequireText(p, $"tuple for {method}")))
            : matches(part, Py.RequireText(a[0], $"{method} first arg")));
    }

    /// <summary>The offsets in chars of a start and an end given in code points.</summary>
    private static (int From, int To) Range(string text, object? start, object? end)
    {
        var length = PyText.Length(text);
        int Offset(object? value, int byDefault)
        {
            if (Filters.Optional(value, null) is not { } given)
            {
                return byDefault;
            }

            var i = Py.Int(given);
            return i < 0 ? Math.Max(0, i + length) : i;
        }

        var from = Offset(start, 0);
        return from > length ? (text.Length + 1, text.Length) : (PyText.Offset(text, from), PyText.Offset(text, Offset(end, length)));
    }

    private static int Find(string text, Arguments arguments, bool last)
    {
        var a = arguments.Bind("find", 1, "sub", "start", "end");
        var part = Py.RequireText(a[0]);
        var (from, to) = Range(text, a[1], a[2]);
        if (from > to)
        {
            return -1;
        }

        var span = text.AsSpan(from, to - from);
        var at = last ? (part.Length == 0 ? span.Length : span.LastIndexOf(part, StringComparison.Ordinal)) : span.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : PyText.Length(text[..(from + at)]);
    }

    private static object Found(int at) => at >= 0 ? PyNumber.Box((long)at) : throw TemplateFailure.Type("substring not found");

    private static long Count(string text, Arguments arguments)
    {
        var a = arguments.Bind("count", 1, "sub", "start", "end");
        var part = Py.RequireText(a[0]);
        var (from, to) = Range(text, a[1], a[2]);
        return from > to ? 0 : part.Length == 0 ? PyText.Length(text[from..to]) + 1 : Occurrences(text[from..to], part);
    }

    private static int Occurrences(string text, string part)
    {
        var count = 0;
        for (var i = text.IndexOf(part, StringComparison.Ordinal); i >= 0; i = text.IndexOf(part, i + part.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }

    private static PyTuple Partition(string text, Arguments arguments, bool last)
    {
        var separator = Py.RequireText(arguments.Bind("partition", 1, "sep")[0]);
        if (separator.Length == 0)
        {
            throw TemplateFailure.Type("empty separator");
        }

        var at = last ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return at >= 0 ? new PyTuple(text[..at], separator, text[(at + separator.Length)..])
            : last ? new PyTuple("", "", text) : new PyTuple(text, "", "");
    }

    private static string Pad(RenderState state, string text, Arguments arguments, string method)
    {
        var a = arguments.Bind(method, 1, "width", "fillchar");
        var fill = Py.RequireText(Filters.Optional(a[1], " "));
        if (PyText.Length(fill) != 1)
        {
            throw TemplateFailure.Type("The fill character must be exactly one character long");
        }

        var width = Py.Int(a[0]);
        var missing = Math.Max(0, width - PyText.Length(text));
        state.ChargeText(missing);
        var left = method switch { "ljust" => 0, "rjust" => missing, _ => (missing / 2) + (missing & width & 1) };
        return Times(fill, left) + text + Times(fill, missing - left);
    }

    private static string Times(string fill, int count) => fill.Length == 1 ? new string(fill[0], count) : string.Concat(Enumerable.Repeat(fill, count));

    private static string ZeroFill(RenderState state, string text, int width)
    {
        var missing = Math.Max(0, width - PyText.Length(text));
        state.ChargeText(missing);
        var sign = text.Length > 0 && text[0] is '+' or '-' ? 1 : 0;
        return text[..sign] + new string('0', missing) + text[sign..];
    }

    private static string ExpandTabs(RenderState state, string text, Arguments arguments)
    {
        var size = Filters.Optional(arguments.Bind("expandtabs", 0, "tabsize")[0], 8L) is var s ? Py.Int(s) : 8;
        var result = new StringBuilder();
        var column = 0;
        foreach (var c in text)
        {
            if (c == '\t')
            {
                var spaces = size > 0 ? size - (column % size) : 0;
                state.ChargeText((long)result.Length + spaces);
                result.Append(' ', spaces);
                column += spaces;
            }
            else
            {
                result.Append(c);
                column = c is '\n' or '\r' ? 0 : column + 1;
            }
        }

        return result.ToString();
    }

    /// <summary>Python's <c>str.title</c>: a word is a run of letters.</summary>
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inside = false;
        foreach (var c in text)
        {
            result.Append(inside ? PyText.Lower(c.ToString()) : PyText.Upper(c.ToString()));
            inside = char.IsLetter(c);
        }

        return result.ToString();
    }
}
