using System.Globalization;

namespace Orchestrator.Inference.Constraints.Regexes;

/// <summary>
/// Parses ECMAScript regular expressions (ECMA-262, Unicode mode, with some lenience of Annex B).
/// Back-references, lookbehind and word boundaries are refused: a finite automaton of sensible size can't enforce them.
/// </summary>
internal sealed class RegexParser
{
    private const int MaxDepth = 200;
    private const int MaxRepeat = 20_000;

    private readonly string _pattern;
    private readonly bool _ignoreCase;
    private int _position;
    private int _depth;

    private RegexParser(string pattern, bool ignoreCase)
    {
        _pattern = pattern;
        _ignoreCase = ignoreCase;
        _position = ignoreCase ? 4 : 0;
    }

    public static RegexNode Parse(string pattern)
    {
        var parser = new RegexParser(pattern, pattern.StartsWith("(?i)", StringComparison.Ordinal));
        var node = parser.ParseChoice();
        return parser._position < pattern.Length ? throw parser.Error("has an unmatched ')'") : node;
    }

    private RegexNode ParseChoice()
    {
        if (++_depth > MaxDepth)
        {
            throw Error($"is nested deeper than {MaxDepth}");
        }

        var options = new List<RegexNode> { ParseSequence() };
        while (TryTake('|'))
        {
            options.Add(ParseSequence());
        }

        _depth--;
        return options.Count == 1 ? options[0] : new RegexNode.Choice(options);
    }

    private RegexNode ParseSequence()
    {
        var parts = new List<RegexNode>();
        while (_position < _pattern.Length && _pattern[_position] is not ('|' or ')'))
        {
            parts.Add(ParseRepeated());
        }

        return parts.Count switch { 0 => new RegexNode.Empty(), 1 => parts[0], _ => new RegexNode.Sequence(parts) };
    }

    private RegexNode ParseRepeated()
    {
        var start = _position;
        var atom = ParseAtom();
        if (!TryParseQuantifier(out var min, out var max))
        {
            return atom;
        }

        if (atom is RegexNode.AtStart or RegexNode.AtEnd or RegexNode.Ahead)
        {
            throw Error("repeats an assertion", start);
        }

        // Greedy or lazy makes no difference to what is matched.
        TryTake('?');
        return _position < _pattern.Length && _pattern[_position] is '*' or '+'
            ? throw Error("repeats a repetition")
            : new RegexNode.Repeat(atom, min, max);
    }

    /// <summary>Parses *, +, ?, {n}, {n,} or {n,m}; a brace that is none of these stands for itself.</summary>
    private bool TryParseQuantifier(out int min, out int max)
    {
        (min, max) = (0, 0);
        switch (_position < _pattern.Length ? _pattern[_position] : '\0')
        {
            case '*':
                (min, max) = (0, -1);
                break;
            case '+':
                (min, max) = (1, -1);
                break;
            case '?':
                (min, max) = (0, 1);
                break;
            case '{':
                var close = _pattern.IndexOf('}', _position);
                var parts = close < 0 ? [] : _pattern[(_position + 1)..close].Split(',');
                if (parts.Length is 0 or > 2 || parts[0].Length == 0 || !parts.All(part => part.All(char.IsAsciiDigit)))
                {
                    return false;
                }

                min = ParseCount(parts[0]);
                max = parts.Length == 1 ? min : parts[1].Length == 0 ? -1 : ParseCount(parts[1]);
                if (max >= 0 && max < min)
                {
                    throw Error("repeats at most fewer times than at least");
                }

                _position = close;
                break;
            default:
                return false;
        }

        _position++;
        return true;
    }

    private int ParseCount(string digits)
        => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MaxRepeat
            ? count
            : throw Error($"repeats more than {MaxRepeat} times");

    private RegexNode ParseAtom()
    {
        var c = _pattern[_position++];
        switch (c)
        {
            case '^':
                return new RegexNode.AtStart();
            case '$':
                return new RegexNode.AtEnd();
            case '.':
                return new RegexNode.Set(CodePointSet.Dot);
            case '(':
                return ParseGroup();
            case '[':
                return new RegexNode.Set(ParseClass());
            case '\\':
                return ParseEscape();
            case '*' or '+' or '?':
                throw Error($"repeats nothing by '{c}'", _position - 1);
            default:
                _position--;
                return new RegexNode.Set(Cased(CodePointSet.Single(ParseCharacter())));
        }
    }

    private RegexNode ParseGroup()
    {
        var start = _position - 1;
        bool? negative = null;
        if (TryTake('?'))
        {
            if (TryTake('='))
            {
                negative = false;
            }
            else if (TryTake('!'))
            {
                negative = true;
            }
            else if (!TryTake(':'))
            {
                TryTake('P');
                var close = _pattern.IndexOf('>', _position);
                if (close < 0 || _pattern[_position] != '<' || _pattern[_position + 1] is '=' or '!')
                {
                    throw Error("has a group that can't be enforced (lookbehind, or inline options)", start);
                }

                _position = close + 1;
            }
        }

        var inner = ParseChoice();
        if (!TryTake(')'))
        {
            throw Error("has an unclosed group", start);
        }

        return negative is { } isNegative ? new RegexNode.Ahead(inner, isNegative) : inner;
    }

    private RegexNode ParseEscape()
    {
        var c = _position < _pattern.Length ? _pattern[_position] : throw Error("ends with a backslash");
        switch (c)
        {
            case 'b' or 'B':
                throw Error($"has a word boundary, '\\{c}', which can't be enforced", _position - 1);
            case >= '1' and <= '9':
            case 'k' when _position + 1 < _pattern.Length && _pattern[_position + 1] == '<':
                throw Error("has a back-reference, which can't be enforced", _position - 1);
            case 'A':
                _position++;
                return new RegexNode.AtStart();
            case 'Z' or 'z':
                _position++;
                return new RegexNode.AtEnd();
            default:
                return new RegexNode.Set(Cased(ParseClassEscape()));
        }
    }

    private CodePointSet ParseClass()
    {
        var start = _position - 1;
        var negated = TryTake('^');
        var set = CodePointSet.Of();
        while (!TryTake(']'))
        {
            if (_position == _pattern.Length)
            {
                throw Error("has an unclosed '['", start);
            }

            var low = ParseClassItem();
            if (_position + 1 < _pattern.Length && _pattern[_position] == '-' && _pattern[_position + 1] != ']')
            {
                var dash = _position++;
                var high = ParseClassItem();
                if (low.Ranges is [{ } first] && high.Ranges is [{ } last] && first.Low == first.High && last.Low == last.High)
                {
                    low = first.Low <= last.Low
                        ? CodePointSet.Of((first.Low, last.Low)).Intersect(CodePointSet.All)
                        : throw Error("has a range out of order", dash);
                }
                else
                {
                    low = low.Union(CodePointSet.Single('-')).Union(high);
                }
            }

            set = set.Union(low);
        }

        set = Cased(set);
        return negated ? set.Complement() : set;
    }

    private CodePointSet ParseClassItem()
    {
        if (!TryTake('\\'))
        {
            return CodePointSet.Single(ParseCharacter());
        }

        if (_position == _pattern.Length)
        {
            throw Error("ends with a backslash");
        }

        return TryTake('b') ? CodePointSet.Single('\b') : ParseClassEscape();
    }

    private int ParseCharacter()
    {
        var c = _pattern[_position++];
        if (char.IsHighSurrogate(c) && _position < _pattern.Length && char.IsLowSurrogate(_pattern[_position]))
        {
            return char.ConvertToUtf32(c, _pattern[_position++]);
        }

        return char.IsSurrogate(c) ? throw Error("holds half a surrogate pair", _position - 1) : c;
    }

    private CodePointSet ParseClassEscape()
    {
        var c = _pattern[_position++];
        switch (c)
        {
            case 'd':
                return CodePointSet.Digits;
            case 'D':
                return CodePointSet.Digits.Complement();
            case 'w':
                return CodePointSet.Word;
            case 'W':
                return CodePointSet.Word.Complement();
            case 's':
                return CodePointSet.Space;
            case 'S':
                return CodePointSet.Space.Complement();
            case 't':
                return CodePointSet.Single('\t');
            case 'n':
                return CodePointSet.Single('\n');
            case 'r':
                return CodePointSet.Single('\r');
            case 'f':
                return CodePointSet.Single('\f');
            case 'v':
                return CodePointSet.Single('\v');
            case '0':
                return CodePointSet.Single(0);
            case 'c' when _position < _pattern.Length && char.IsAsciiLetter(_pattern[_position]):
                return CodePointSet.Single(_pattern[_position++] % 32);
            case 'x':
                return CodePointSet.Single(ParseHex(2));
            case 'u':
                return CodePointSet.Single(ParseUnicodeEscape());
            case 'p' or 'P':
                var property = ParseProperty();
                return c == 'p' ? property : property.Complement();
            default:
                return char.IsAsciiLetterOrDigit(c) || char.IsSurrogate(c)
                    ? throw Error($"has the unknown escape '\\{c}'", _position - 2)
                    : CodePointSet.Single(c);
        }
    }

    private CodePointSet ParseProperty()
    {
        var start = _position;
        var close = TryTake('{') ? _pattern.IndexOf('}', _position) : -1;
        if (close < 0)
        {
            throw Error("has '\\p' without a property in braces", start);
        }

        var name = _pattern[_position..close];
        _position = close + 1;
        return UnicodeProperties.Find(name) ?? throw Error($"names the unknown Unicode property '{name}'", start);
    }

    private int ParseUnicodeEscape()
    {
        var start = _position;
        int value;
        if (TryTake('{'))
        {
            var close = _pattern.IndexOf('}', _position);
            if (close < 0 || !int.TryParse(_pattern.AsSpan(_position, close - _position), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) || value > CodePointSet.Max)
            {
                throw Error("has a malformed '\\u{…}'", start);
            }

            _position = close + 1;
            return value;
        }

        value = ParseHex(4);
        if (char.IsHighSurrogate((char)value) && _pattern.AsSpan(_position).StartsWith("\\u", StringComparison.Ordinal))
        {
            _position += 2;
            var low = ParseHex(4);
            return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)value, (char)low) : throw Error("holds half a surrogate pair", start);
        }

        return value;
    }

    private int ParseHex(int digits)
    {
        if (_position + digits > _pattern.Length
            || !int.TryParse(_pattern.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            throw Error("has a malformed hexadecimal escape");
        }

        _position += digits;
        return value;
    }

    private CodePointSet Cased(CodePointSet set) => _ignoreCase ? set.IgnoringCase() : set;

    private bool TryTake(char c)
    {
        if (_position < _pattern.Length && _pattern[_position] == c)
        {
            _position++;
            return true;
        }

        return false;
    }

    private ConstraintException Error(string problem, int? position = null)
        => new($"The regular expression '{_pattern}' {problem}", "pattern", $"offset {position ?? _position}", "Write the pattern without it.");
}
