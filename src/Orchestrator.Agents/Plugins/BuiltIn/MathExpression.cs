using System.Globalization;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>
/// Reads and computes arithmetic by recursive descent; numbers are 64-bit floating point. '^' binds to the right and
/// before a sign, so -2^2 is -4, as in mathematics.
/// </summary>
internal ref struct MathExpression
{
    private const int MaxLength = 2000;
    private const int MaxDepth = 100;

    private readonly ReadOnlySpan<char> _text;
    private int _position;
    private int _depth;

    private MathExpression(ReadOnlySpan<char> text) => _text = text;

    /// <exception cref="ArgumentException">The text is not an expression, or has no value.</exception>
    public static double Evaluate(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new ArgumentException($"An expression may have at most {MaxLength} characters.");
        }

        var expression = new MathExpression(text);
        var value = expression.Sum();
        expression.SkipSpaces();
        if (expression._position < text.Length)
        {
            throw expression.Error($"'{text[expression._position]}' is not expected here");
        }

        return double.IsFinite(value) ? value : throw new ArgumentException($"'{text}' has no finite value.");
    }

    private double Sum()
    {
        if (++_depth > MaxDepth)
        {
            throw Error("the expression is nested too deeply");
        }

        var value = Product();
        while (true)
        {
            if (Take('+'))
            {
                value += Product();
            }
            else if (Take('-'))
            {
                value -= Product();
            }
            else
            {
                _depth--;
                return value;
            }
        }
    }

    private double Product()
    {
        var value = Signed();
        while (true)
        {
            if (Take('*'))
            {
                value *= Signed();
            }
            else if (Take('/'))
            {
                value /= NotZero(Signed());
            }
            else if (Take('%'))
            {
                value %= NotZero(Signed());
            }
            else
            {
                return value;
            }
        }
    }

    private double Signed()
    {
        var negative = false;
        while (true)
        {
            if (Take('-'))
            {
                negative = !negative;
            }
            else if (!Take('+'))
            {
                break;
            }
        }

        var value = Power();
        return negative ? -value : value;
    }

    private double Power()
    {
        var value = Primary();
        if (!Take('^'))
        {
            return value;
        }

        if (++_depth > MaxDepth)
        {
            throw Error("the expression is nested too deeply");
        }

        var exponent = Signed();
        _depth--;
        return Math.Pow(value, exponent);
    }

    private double Primary()
    {
        if (Take('('))
        {
            var value = Sum();
            Expect(')');
            return value;
        }

        SkipSpaces();
        if (_position >= _text.Length)
        {
            throw Error("the expression ends too early");
        }

        return char.IsAsciiLetter(_text[_position]) ? NameOrFunction() : Number();
    }

    private double Number()
    {
        var start = _position;
        while (_position < _text.Length && (char.IsAsciiDigit(_text[_position]) || _text[_position] == '.'))
        {
            _position++;
        }

        if (_position + 1 < _text.Length && _text[_position] is 'e' or 'E'
            && (char.IsAsciiDigit(_text[_position + 1]) || (_text[_position + 1] is '+' or '-' && _position + 2 < _text.Length && char.IsAsciiDigit(_text[_position + 2]))))
        {
            _position += 2;
            while (_position < _text.Length && char.IsAsciiDigit(_text[_position]))
            {
                _position++;
            }
        }

        if (_position == start)
        {
            throw Error($"'{_text[start]}' is not expected here");
        }

        return double.TryParse(_text[start.._position], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Error($"'{_text[start.._position]}' is not a number");
    }

    private double NameOrFunction()
    {
        var start = _position;
        while (_position < _text.Length && char.IsAsciiLetterOrDigit(_text[_position]))
        {
            _position++;
        }

        var name = _text[start.._position].ToString().ToLowerInvariant();
        if (!Take('('))
        {
            return name switch
            {
                "pi" => Math.PI,
                "e" => Math.E,
                _ => throw Error($"'{name}' is not known"),
            };
        }

        var arguments = new List<double> { Sum() };
        while (Take(','))
        {
            arguments.Add(Sum());
        }

        Expect(')');
        return Call(name, arguments);
    }

    private readonly double Call(string name, List<double> arguments) => (name, arguments) switch
    {
        ("sqrt", [var x]) => Math.Sqrt(x),
        ("abs", [var x]) => Math.Abs(x),
        ("round", [var x]) => Math.Round(x, MidpointRounding.AwayFromZero),
        ("round", [var x, var digits]) when digits is >= 0 and <= 15 => Math.Round(x, (int)digits, MidpointRounding.AwayFromZero),
        ("floor", [var x]) => Math.Floor(x),
        ("ceil", [var x]) => Math.Ceiling(x),
        ("ln", [var x]) => Math.Log(x),
        ("log10", [var x]) => Math.Log10(x),
        ("exp", [var x]) => Math.Exp(x),
        ("sin", [var x]) => Math.Sin(x),
        ("cos", [var x]) => Math.Cos(x),
        ("tan", [var x]) => Math.Tan(x),
        ("min", [_, ..]) => arguments.Min(),
        ("max", [_, ..]) => arguments.Max(),
        ("sum", [_, ..]) => arguments.Sum(),
        ("avg", [_, ..]) => arguments.Average(),
        _ => throw Error($"there is no function {name} of {arguments.Count} value{(arguments.Count == 1 ? "" : "s")}"),
    };

    private readonly double NotZero(double divisor) => divisor != 0 ? divisor : throw Error("division by zero");

    private bool Take(char c)
    {
        SkipSpaces();
        if (_position < _text.Length && _text[_position] == c)
        {
            _position++;
            return true;
        }

        return false;
    }

    private void Expect(char c)
    {
        if (!Take(c))
        {
            throw Error($"'{c}' is missing");
        }
    }

    private void SkipSpaces()
    {
        while (_position < _text.Length && char.IsWhiteSpace(_text[_position]))
        {
            _position++;
        }
    }

    private readonly ArgumentException Error(string message) =>
        new($"'{_text}' can't be computed: {message} (at character {Math.Min(_position, _text.Length) + 1}).");
}
