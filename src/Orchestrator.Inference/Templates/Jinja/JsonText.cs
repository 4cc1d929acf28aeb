using System.Globalization;
using System.Numerics;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's <c>json.dumps</c>, as Hugging Face's <c>tojson</c> calls it.</summary>
internal sealed class JsonText(RenderState state, bool ensureAscii, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
{
    private readonly StringBuilder _text = new();

    public string Write(object? value)
    {
        Write(value, "\n");
        return state.Made(_text.ToString());
    }

    private void Write(object? value, string newline)
    {
        RenderState.CheckStack();
        state.Charge();
        if (_text.Length > state.MaxTextLength)
        {
            state.ChargeText(_text.Length);
        }

        switch (value)
        {
            case null:
                _text.Append("null");
                break;
            case bool b:
                _text.Append(b ? "true" : "false");
                break;
            case long or BigInteger:
                _text.Append(Py.Str(state, value));
                break;
            case double d:
                _text.Append(Number(d));
                break;
            case string or Markup:
                WriteText(Py.Text(value)!);
                break;
            case PyDict dict:
                WriteDict(dict, newline);
                break;
            case PyList or PyTuple:
                WriteItems(((IPySequence)value).Iterate(), newline);
                break;
            default:
                throw TemplateFailure.Type($"Object of type {Py.TypeName(value)} is not JSON serializable");
        }
    }

    private void WriteItems(IEnumerable<object?> items, string newline)
    {
        var inner = indent is null ? "" : newline + indent;
        var any = false;
        _text.Append('[');
        foreach (var item in items)
        {
            _text.Append(any ? itemSeparator : "").Append(inner);
            any = true;
            Write(item, inner);
        }

        _text.Append(any && indent is not null ? newline : "").Append(']');
    }

    private void WriteDict(PyDict dict, string newline)
    {
        var inner = indent is null ? "" : newline + indent;
        var any = false;
        _text.Append('{');
        var items = sortKeys ? dict.Items.Order(Comparer<KeyValuePair<object?, object?>>.Create((a, b) => Operators.Order(state, "<", a.Key, b.Key) ?? 0)) : dict.Items;
        foreach (var (key, value) in items)
        {
            _text.Append(any ? itemSeparator : "").Append(inner);
            any = true;
            WriteText(key switch
            {
                string s => s,
                null => "null",
                bool b => b ? "true" : "false",
                double d => Number(d),
                long or BigInteger => Py.Str(state, key),
                _ => throw TemplateFailure.Type($"keys must be str, int, float, bool or None, not {Py.TypeName(key)}"),
            });
            _text.Append(keySeparator);
            Write(value, inner);
        }

        _text.Append(any && indent is not null ? newline : "").Append('}');
    }

    private static string Number(double value) => double.IsFinite(value)
        ? PyFloat.Repr(value)
        : double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    private void WriteText(string text)
    {
        _text.Append('"');
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c >= ' ' && c != '"' && c != '\\' && (c <= '~' || !ensureAscii))
            {
                continue;
            }

            _text.Append(text, start, i - start);
            start = i + 1;
            _ = c switch
            {
                '"' => _text.Append("\\\""),
                '\\' => _text.Append("\\\\"),
                '\n' => _text.Append("\\n"),
                '\r' => _text.Append("\\r"),
                '\t' => _text.Append("\\t"),
                '\f' => _text.Append("\\f"),
                '\b' => _text.Append("\\b"),
                _ => _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            };
        }

        _text.Append(text, start, text.Length - start).Append('"');
    }
}
