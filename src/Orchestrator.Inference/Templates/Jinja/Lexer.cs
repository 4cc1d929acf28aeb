using System.Globalization;
using System.Numerics;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>
/// Splits a template into tokens as Jinja 3.1 does with trim_blocks and lstrip_blocks on: the first newline after a
/// block or comment is dropped, and so is white space before one on its line; <c>-</c> drops all white space on its
/// side, <c>+</c> keeps it.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] Operators =
        ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly List<int> _lineStarts = [0];
    private int _at;
    private bool _lineStarting = true;

    private Lexer(string source)
    {
        // Like the reference, all newlines are \n, and one at the very end does not count.
        _source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (_source.EndsWith('\n'))
        {
            _source = _source[..^1];
        }

        for (var i = 0; i < _source.Length; i++)
        {
            if (_source[i] == '\n')
            {
                _lineStarts.Add(i + 1);
            }
        }
    }

    public static List<Token> Tokenise(string source)
    {
        var lexer = new Lexer(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            var start = FindTag(_at);
            if (start < 0)
            {
                Emit(TokenKind.Data, _source[_at..], _at);
                break;
            }

            var kind = _source[start + 1];
            var sign = start + 2 < _source.Length && _source[start + 2] is '-' or '+' ? _source[start + 2] : '\0';
            var inside = start + (sign == '\0' ? 2 : 3);
            var rawBody = kind == '%' ? RawBody(inside) : -1;
            EmitData(_at, start, sign, strippable: kind != '{');
            _at = inside;
            _lineStarting = false;
            if (rawBody >= 0)
            {
                ReadRaw(start, rawBody);
            }
            else if (kind == '#')
            {
                ReadComment(start);
            }
            else
            {
                ReadCode(start, kind == '%');
            }
        }

        Emit(TokenKind.End, "", _source.Length);
    }

    private int FindTag(int from)
    {
        for (var i = from; ; i++)
        {
            i = _source.IndexOf('{', i);
            if (i < 0 || i + 1 >= _source.Length)
            {
                return -1;
            }

            if (_source[i + 1] is '%' or '{' or '#')
            {
                return i;
            }
        }
    }

    /// <summary>Emits the text before a tag, with the white space dropped that the tag's sign asks for.</summary>
    private void EmitData(int start, int end, char sign, bool strippable)
    {
        var text = _source.AsSpan(start, end - start);
        if (sign == '-')
        {
            text = PyText.TrimEnd(text);
        }
        else if (sign != '+' && strippable)
        {
            var line = text.LastIndexOf('\n') + 1;
            if ((line > 0 || _lineStarting) && line < text.Length && PyText.IsBlank(text[line..]))
            {
                text = text[..line];
            }
        }

        if (text.Length > 0)
        {
            Emit(TokenKind.Data, text.ToString(), start);
        }
    }

    /// <summary>Where the body of a raw block begins whose tag was opened here, or -1.</summary>
    private int RawBody(int inside)
    {
        var i = SkipSpace(inside);
        if (string.CompareOrdinal(_source, i, "raw", 0, 3) != 0)
        {
            return -1;
        }

        i = SkipSpace(i + 3);
        if (string.CompareOrdinal(_source, i, "-%}", 0, 3) == 0)
        {
            return SkipSpace(i + 3);
        }

        return string.CompareOrdinal(_source, i, "%}", 0, 2) == 0 ? i + 2 : -1;
    }

    private void ReadRaw(int tag, int body)
    {
        _at = body;
        for (var i = body; ; i++)
        {
            i = _source.IndexOf("{%", i, StringComparison.Ordinal);
            if (i < 0)
            {
                throw Error("this raw block is not closed; expected '{% endraw %}'", tag);
            }

            var sign = i + 2 < _source.Length && _source[i + 2] is '-' or '+' ? _source[i + 2] : '\0';
            var name = SkipSpace(i + (sign == '\0' ? 2 : 3));
            if (string.CompareOrdinal(_source, name, "endraw", 0, 6) == 0 && CloseOf(SkipSpace(name + 6), '%') is var close and >= 0)
            {
                _lineStarting = body > 0 && _source[body - 1] == '\n';
                EmitData(body, i, sign, strippable: true);
                Close(close);
                return;
            }
        }
    }

    private void ReadComment(int tag)
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Error("this comment is not closed; expected '#}'", tag);
        }

        var signed = end > _at && _source[end - 1] is '-' or '+';
        Close(CloseOf(signed ? end - 1 : end, '#'));
    }

    /// <summary>Where the text goes on after a closing tag (<c>%}</c>, <c>#}</c>) at this place, or -1 if there is none.</summary>
    private int CloseOf(int at, char kind)
    {
        var sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at] : '\0';
        var i = sign == '\0' ? at : at + 1;
        if (i + 1 >= _source.Length || _source[i] != kind || _source[i + 1] != '}')
        {
            return -1;
        }

        i += 2;
        return sign switch
        {
            '-' => SkipSpace(i),
            '+' => i,
            _ => i < _source.Length && _source[i] == '\n' ? i + 1 : i,
        };
    }

    private void Close(int next)
    {
        _at = next;
        _lineStarting = next > 0 && _source[next - 1] == '\n';
    }

    private void ReadCode(int tag, bool block)
    {
        Emit(block ? TokenKind.BlockBegin : TokenKind.VariableBegin, block ? "{%" : "{{", tag);
        var open = new Stack<char>();
        while (true)
        {
            _at = SkipSpace(_at);
            if (_at >= _source.Length)
            {
                throw Error(block ? "this statement is not closed; expected '%}'" : "this expression is not closed; expected '}}'", tag);
            }

            if (open.Count == 0 && block && CloseOf(_at, '%') is var close and >= 0)
            {
                Emit(TokenKind.BlockEnd, "%}", _at);
                Close(close);
                return;
            }

            if (open.Count == 0 && !block)
            {
                var minus = _source[_at] == '-';
                if (string.CompareOrdinal(_source, minus ? _at + 1 : _at, "}}", 0, 2) == 0)
                {
                    Emit(TokenKind.VariableEnd, "}}", _at);
                    Close(minus ? SkipSpace(_at + 3) : _at + 2);
                    return;
                }
            }

            ReadToken(open);
        }
    }

    private void ReadToken(Stack<char> open)
    {
        var c = _source[_at];
        if (char.IsAsciiDigit(c))
        {
            ReadNumber();
        }
        else if (IsNamePart(c))
        {
            var start = _at;
            while (_at < _source.Length && IsNamePart(_source[_at]))
            {
                _at++;
            }

            Emit(TokenKind.Name, Pool(_source[start.._at]), start);
        }
        else if (c is '\'' or '"')
        {
            var (value, end) = StringLiteral.Read(_source, _at);
            if (end < 0)
            {
                throw Error("this string is not closed", _at);
            }

            Emit(TokenKind.String, value, _at);
            _at = end;
        }
        else
        {
            var op = Array.Find(Operators, o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
                ?? throw Error($"unexpected character '{c}'", _at);
            Balance(open, op[0]);
            Emit(TokenKind.Operator, op, _at);
            _at += op.Length;
        }
    }

    private void Balance(Stack<char> open, char op)
    {
        switch (op)
        {
            case '(':
                open.Push(')');
                break;
            case '[':
                open.Push(']');
                break;
            case '{':
                open.Push('}');
                break;
            case ')' or ']' or '}' when !open.TryPop(out var expected) || expected != op:
                throw Error($"unexpected '{op}'" + (expected == '\0' ? "" : $", expected '{expected}'"), _at);
        }
    }

    private void ReadNumber()
    {
        var start = _at;
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'o' or 'b')
        {
            var radix = char.ToLowerInvariant(_source[_at + 1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
            var i = _at + 2;
            var value = BigInteger.Zero;
            for (; i < _source.Length && (_source[i] == '_' || (char.IsAsciiHexDigit(_source[i]) && Convert.ToInt32(_source[i].ToString(), 16) < radix)); i++)
            {
                value = _source[i] == '_' ? value : (value * radix) + Convert.ToInt32(_source[i].ToString(), 16);
            }

            _at = i;
            Emit(TokenKind.Integer, _source[start.._at], start, PyNumber.Shrink(value));
            return;
        }

        SkipDigits();
        var isFloat = false;
        var afterDot = start > 0 && _source[start - 1] == '.';
        if (!afterDot && _at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            isFloat = true;
            _at++;
            SkipDigits();
        }

        if (!afterDot && _at < _source.Length && _source[_at] is 'e' or 'E')
        {
            var i = _at + 1;
            i = i < _source.Length && _source[i] is '+' or '-' ? i + 1 : i;
            if (i < _source.Length && char.IsAsciiDigit(_source[i]))
            {
                isFloat = true;
                _at = i;
                SkipDigits();
            }
        }

        var digits = _source[start.._at].Replace("_", "", StringComparison.Ordinal);
        if (isFloat)
        {
            Emit(TokenKind.Float, digits, start, double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture));
        }
        else
        {
            Emit(TokenKind.Integer, digits, start, PyNumber.ParseDigits(digits));
        }
    }

    private void SkipDigits()
    {
        while (_at < _source.Length && (char.IsAsciiDigit(_source[_at]) || (_source[_at] == '_' && _at + 1 < _source.Length && char.IsAsciiDigit(_source[_at + 1]))))
        {
            _at++;
        }
    }

    private static bool IsNamePart(char c) => c == '_' || char.IsLetterOrDigit(c) || char.IsSurrogate(c);

    private string Pool(string name)
    {
        if (!_names.TryGetValue(name, out var pooled))
        {
            _names[name] = pooled = name;
        }

        return pooled;
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PyText.IsSpace(_source[at]))
        {
            at++;
        }

        return at;
    }

    private void Emit(TokenKind kind, string text, int at, object? value = null)
    {
        var (line, column) = Place(at);
        _tokens.Add(new Token(kind, text, line, column, value));
    }

    private ChatTemplateException Error(string reason, int at)
    {
        var (line, column) = Place(at);
        return new ChatTemplateException(ChatTemplateFault.Syntax, reason, line, column);
    }

    private (int Line, int Column) Place(int at)
    {
        var line = _lineStarts.BinarySearch(at);
        line = line >= 0 ? line : ~line - 1;
        return (line + 1, at - _lineStarts[line] + 1);
    }
}
