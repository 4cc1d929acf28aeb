using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's <c>text.format(…)</c>; fields reach attributes and items only as templates do.</summary>
internal static class BraceFormat
{
    public static object? Format(RenderState state, string format, Arguments arguments)
        => new Writer(state, arguments.Positional, name => arguments.Named?.TryGetValue(name, out var v) == true ? v : throw TemplateFailure.Type(PyText.Repr(name))).Write(format, 2);

    public static object? FormatMap(RenderState state, string format, object? mapping)
    {
        var dict = mapping as PyDict ?? throw TemplateFailure.Type("format_map() needs a mapping");
        return new Writer(state, [], name => dict.TryGet(name, out var v) ? v : throw TemplateFailure.Type(PyText.Repr(name))).Write(format, 2);
    }

    private sealed class Writer(RenderState state, object?[] positional, Func<string, object?> named)
    {
        private int _automatic;

        public string Write(string format, int depth)
        {
            if (depth < 0)
            {
                throw TemplateFailure.Type("Max string recursion exceeded");
            }

            var result = new StringBuilder();
            for (var i = 0; i < format.Length; i++)
            {
                var c = format[i];
                if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
                {
                    result.Append(c);
                    i++;
                }
                else if (c == '}')
                {
                    throw TemplateFailure.Type("Single '}' encountered in format string");
                }
                else if (c == '{')
                {
                    var end = Close(format, i);
                    result.Append(Field(format[(i + 1)..end], depth));
                    state.ChargeText(result.Length);
                    i = end;
                }
                else
                {
                    result.Append(c);
                }
            }

            return result.ToString();
        }

        private static int Close(string format, int open)
        {
            var depth = 0;
            for (var i = open; i < format.Length; i++)
            {
                depth += format[i] switch { '{' => 1, '}' => -1, _ => 0 };
                if (depth == 0)
                {
                    return i;
                }
            }

            throw TemplateFailure.Type(open + 1 == format.Length ? "Single '{' encountered in format string" : "expected '}' before end of string");
        }

        private string Field(string field, int depth)
        {
            var inBrackets = false;
            var end = 0;
            for (; end < field.Length && (inBrackets || field[end] is not ('!' or ':')); end++)
            {
                inBrackets = field[end] == '[' || (inBrackets && field[end] != ']');
            }

            var value = Resolve(field[..end]);
            var rest = field[end..];
            if (rest.StartsWith('!'))
            {
                value = rest.Length < 2 ? throw TemplateFailure.Type("unmatched '{' in format spec") : rest[1] switch
                {
                    'r' or 'a' => Py.Repr(state, value),
                    's' => Py.Str(state, value),
                    _ => throw TemplateFailure.Type($"Unknown conversion specifier {rest[1]}"),
                };
                rest = rest[2..];
            }

            return FormatSpec.Apply(state, value, rest.StartsWith(':') ? Write(rest[1..], depth - 1) : "");
        }

        private object? Resolve(string path)
        {
            var i = path.IndexOfAny(['.', '[']);
            var head = i < 0 ? path : path[..i];
            object? value;
            if (head.Length == 0 || head.All(char.IsAsciiDigit))
            {
                var index = head.Length == 0 ? _automatic++ : int.TryParse(head, out var given) ? given : int.MaxValue;
                value = index < positional.Length ? positional[index] : throw TemplateFailure.Type($"Replacement index {index} out of range for positional args tuple");
            }
            else
            {
                value = named(head);
            }

            while (i >= 0 && i < path.Length)
            {
                var bracket = path[i] == '[';
                var next = bracket ? path.IndexOf(']', i) : path.IndexOfAny(['.', '['], i + 1);
                next = next < 0 ? path.Length : next;
                var key = path[(i + 1)..next];
                value = bracket
                    ? Lookup.Item(state, value, key.Length > 0 && key.All(char.IsAsciiDigit) ? PyNumber.ParseDigits(key) : key)
                    : Lookup.TryAttribute(state, value, key, out var attribute) ? attribute : throw TemplateFailure.Type($"{PyText.Repr(Py.TypeName(value))} object has no attribute {PyText.Repr(key)}");
                value = value is Undefined missing ? throw missing.Failure() : value;
                i = bracket ? next + 1 : next;
            }

            return value;
        }
    }
}
