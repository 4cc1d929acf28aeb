using System.Globalization;
using System.Text;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Gbnf;

/// <summary>
/// Parses llama.cpp's GBNF: rules <c>name ::= …</c> of literals, character classes, dots, groups, alternatives and the
/// repetitions <c>* + ? {m,n}</c>, with comments from <c>#</c> to the end of the line. An expression goes on over line
/// ends within parentheses and after <c>|</c>.
/// </summary>
internal sealed class GbnfParser
{
    private const int MaxDepth = 200;
    private const int MaxRepeat = 2_000;

    private readonly string _text;
    private int _position;

    private GbnfParser(string text) => _text = text;

    public static Dictionary<string, GbnfNode> Parse(string grammar)
    {
        var parser = new GbnfParser(grammar);
        var rules = new Dictionary<string, GbnfNode>(StringComparer.Ordinal);
        parser.SkipSpace(true);
        while (parser._position < grammar.Length)
        {
            var start = parser._position;
            var name = parser.ParseName();
            parser.SkipSpace(false);
            if (!parser.TryTake("::="))
            {
                throw parser.Error("expected '::='");
            }

            parser.SkipSpace(true);
            var node = parser.ParseChoice(false, 0);
            if (!rules.TryAdd(name, node))
            {
                throw parser.Error($"the rule '{name}' is defined twice", start);
            }

            if (parser._position < grammar.Length && parser.Current is not ('\n' or '\r'))
            {
                throw parser.Error($"unexpected '{parser.Current}'");
            }

            parser.SkipSpace(true);
        }

        return rules;
    }

    private char Current => _text[_position];

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';

    private GbnfNode ParseChoice(bool isNested, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Error($"the grammar is nested deeper than {MaxDepth}");
        }

        var options = new List<GbnfNode> { ParseSequence(isNested, depth) };
        while (TryTake("|"))
        {
            SkipSpace(true);
            options.Add(ParseSequence(isNested, depth));
        }

        return options.Count == 1 ? options[0] : new GbnfNode.Choice(options);
    }

    private GbnfNode.Sequence ParseSequence(bool isNested, int depth)
    {
        var parts = new List<GbnfNode>();
        while (_position < _text.Length && Current is not ('|' or ')' or '\n' or '\r'))
        {
            var part = ParseItem(depth);
            SkipSpace(isNested);
            while (TryParseRepetition(out var min, out var max))
            {
                part = new GbnfNode.Repeat(part, min, max);
                SkipSpace(isNested);
            }

            parts.Add(part);
        }

        return new GbnfNode.Sequence(parts);
    }

    private GbnfNode ParseItem(int depth)
    {
        switch (Current)
        {
            case '"':
                return ParseLiteral();
            case '[':
                return ParseClass();
            case '.':
                _position++;
                return new GbnfNode.Set(CodePointSet.All);
            case '(':
                var start = _position++;
                SkipSpace(true);
                var inner = ParseChoice(true, depth + 1);
                return TryTake(")") ? inner : throw Error("unclosed '('", start);
            default:
                var at = _position;
                return new GbnfNode.Rule(ParseName(), at);
        }
    }

    private GbnfNode.Sequence ParseLiteral()
    {
        var start = _position++;
        var parts = new List<GbnfNode>();
        while (true)
        {
            if (_position == _text.Length || Current is '\n')
            {
                throw Error("unclosed '\"'", start);
            }

            if (TryTake("\""))
            {
                return new GbnfNode.Sequence(parts);
            }

            parts.Add(new GbnfNode.Set(CodePointSet.Single(ParseCharacter())));
        }
    }

    private GbnfNode.Set ParseClass()
    {
        var start = _position++;
        var negated = TryTake("^");
        var set = CodePointSet.Of();
        while (!TryTake("]"))
        {
            if (_position == _text.Length)
            {
                throw Error("unclosed '['", start);
            }

            var low = ParseCharacter();
            var high = low;
            if (_position + 1 < _text.Length && Current == '-' && _text[_position + 1] != ']')
            {
                _position++;
                high = ParseCharacter();
            }

            set = low <= high ? set.Union(CodePointSet.Of((low, high))) : throw Error("a range is out of order");
        }

        return new GbnfNode.Set(negated ? set.Complement() : set.Intersect(CodePointSet.All));
    }

    private int ParseCharacter()
    {
        if (!TryTake("\\"))
        {
            if (!Rune.TryGetRuneAt(_text, _position, out var rune))
            {
                throw Error("half a surrogate pair");
            }

            _position += rune.Utf16SequenceLength;
            return rune.Value;
        }

        var c = _position < _text.Length ? _text[_position++] : throw Error("the grammar ends with a backslash");
        return c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => ParseHex(2),
            'u' => ParseHex(4),
            'U' => ParseHex(8),
            '"' or '[' or ']' or '\\' or '-' or '^' => c,
            _ => throw Error($"unknown escape '\\{c}'", _position - 2),
        };
    }

    private int ParseHex(int digits)
    {
        if (_position + digits > _text.Length
            || !int.TryParse(_text.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || !Rune.IsValid(value))
        {
            throw Error("malformed hexadecimal escape");
        }

        _position += digits;
        return value;
    }

    private bool TryParseRepetition(out int min, out int max)
    {
        (min, max) = (0, -1);
        if (TryTake("*"))
        {
            return true;
        }

        if (TryTake("+"))
        {
            min = 1;
            return true;
        }

        if (TryTake("?"))
        {
            max = 1;
            return true;
        }

        if (!TryTake("{"))
        {
            return false;
        }

        var close = _text.IndexOf('}', _position);
        var parts = close < 0 ? [] : _text[_position..close].Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length is 0 or > 2 || !TryParseCount(parts[0], out min) || (parts.Length == 2 && parts[1].Length > 0 && !TryParseCount(parts[1], out max)))
        {
            throw Error($"malformed repetition; it is {{m}}, {{m,}} or {{m,n}}, at most {MaxRepeat}");
        }

        max = parts.Length == 1 ? min : max;
        if (max >= 0 && max < min)
        {
            throw Error("a repetition has fewer at most than at least");
        }

        _position = close + 1;
        return true;
    }

    private static bool TryParseCount(string text, out int count)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= MaxRepeat;

    private string ParseName()
    {
        var start = _position;
        while (_position < _text.Length && IsNameCharacter(Current))
        {
            _position++;
        }

        return _position > start ? _text[start.._position] : throw Error(_position < _text.Length ? $"unexpected '{Current}'" : "the grammar ends within a rule");
    }

    private void SkipSpace(bool overLines)
    {
        while (_position < _text.Length)
        {
            if (Current == '#')
            {
                while (_position < _text.Length && Current is not ('\n' or '\r'))
                {
                    _position++;
                }
            }
            else if (Current is ' ' or '\t' || (overLines && Current is ('\n' or '\r')))
            {
                _position++;
            }
            else
            {
                return;
            }
        }
    }

    private bool TryTake(string text)
    {
        if (string.CompareOrdinal(_text, _position, text, 0, text.Length) == 0)
        {
            _position += text.Length;
            return true;
        }

        return false;
    }

    private ConstraintException Error(string problem, int? position = null)
    {
        var at = position ?? _position;
        var line = _text.AsSpan(0, at).Count('\n') + 1;
        return new ConstraintException($"The grammar is malformed: {problem}", null, $"line {line}, offset {at}");
    }
}
