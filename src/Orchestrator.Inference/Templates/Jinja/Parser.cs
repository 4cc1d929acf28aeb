namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Parses statements, in the grammar of Jinja 3.1 with loop controls and Hugging Face's <c>generation</c> blocks.</summary>
internal sealed class Parser
{
    private static readonly HashSet<string> Tags =
    [
        "for", "if", "block", "extends", "print", "macro", "include", "from", "import", "set", "with", "autoescape",
        "call", "filter", "break", "continue", "generation",
    ];

    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private readonly Stack<string> _open = new();
    private readonly HashSet<string> _blocks = [];
    private int _loops;

    private Parser(List<Token> tokens)
    {
        _tokens = new TokenStream(tokens);
        _expressions = new ExpressionParser(_tokens);
    }

    public static IReadOnlyList<Statement> Parse(List<Token> tokens)
    {
        var parser = new Parser(tokens);
        return parser.ParseBody([]);
    }

    /// <summary>Parses up to one of the closing tags, whose name is then the current token.</summary>
    private List<Statement> ParseBody(string[] closing)
    {
        _tokens.CheckDepth();
        var body = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.End)
        {
            var token = _tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new Text(token));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new Print(_tokens.Current, _expressions.ParseTuple()));
                    _tokens.Expect(TokenKind.VariableEnd, "end of print statement");
                    break;
                default:
                    if (closing.Any(_tokens.Current.IsName))
                    {
                        return body;
                    }

                    body.Add(ParseStatement());
                    _tokens.Expect(TokenKind.BlockEnd, "end of statement block");
                    break;
            }
        }

        if (closing.Length > 0)
        {
            throw _tokens.Error($"unexpected end of template; {string.Join(" or ", closing.Select(c => $"'{c}'"))} is missing, innermost open block is '{_open.Peek()}'");
        }

        return body;
    }

    /// <summary>Parses the body of a tag up to its closing tag, and goes past the closing tag's name.</summary>
    private List<Statement> ParseUntil(params string[] closing)
    {
        _tokens.SkipOperator(":");
        _tokens.Expect(TokenKind.BlockEnd, "end of statement block");
        return ParseBody(closing);
    }

    private List<Statement> ParseToEnd(string closing)
    {
        var body = ParseUntil(closing);
        _tokens.Next();
        return body;
    }

    private Statement ParseStatement()
    {
        var at = _tokens.Current;
        if (at.Kind != TokenKind.Name)
        {
            throw _tokens.Error("tag name expected");
        }

        if (!Tags.Contains(at.Text))
        {
            throw _tokens.Error($"encountered unknown tag '{at.Text}'" + (_open.Count > 0 ? $"; the innermost open block is '{_open.Peek()}'" : ""));
        }

        _tokens.Next();
        _open.Push(at.Text);
        var statement = ParseTag(at);
        _open.Pop();
        return statement;
    }

    private Statement ParseTag(Token at) => at.Text switch
    {
        "for" => ParseFor(at),
        "if" => ParseIf(at),
        "set" => ParseSet(at),
        "macro" => ParseMacro(at),
        "call" => ParseCall(at),
        "filter" => new FilterBlock(at, _expressions.ParseFilters(new BlockInput(at)), ParseToEnd("endfilter")),
        "with" => ParseWith(at),
        "block" => ParseBlock(at),
        "generation" => new ScopedBody(at, ParseToEnd("endgeneration"), fromRoot: false),
        "print" => ParsePrint(at),
        "break" or "continue" => _loops > 0
            ? new Jump(at, at.Text == "break" ? Flow.Break : Flow.Continue)
            : throw _tokens.Error($"'{at.Text}' outside loop"),
        "autoescape" => ParseAutoescape(at),
        _ => ParseUnsupported(at),
    };

    private ScopedBody ParsePrint(Token at)
    {
        var values = new List<Statement>();
        do
        {
            values.Add(new Print(at, _expressions.Parse()));
        }
        while (_tokens.SkipOperator(","));
        return new ScopedBody(at, values, fromRoot: false);
    }

    private If ParseIf(Token at)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        while (true)
        {
            var test = _expressions.ParseTuple(conditional: false);
            branches.Add((test, ParseUntil("elif", "else", "endif")));
            var next = _tokens.Next();
            if (next.Text != "elif")
            {
                return new If(at, branches, next.Text == "else" ? ParseToEnd("endif") : []);
            }
        }
    }

    private For ParseFor(Token at)
    {
        var target = _expressions.ParseTarget(endName: "in");
        if (!_tokens.SkipName("in"))
        {
            throw _tokens.Error($"expected 'in', got {_tokens.Current.Describe()}");
        }

        var items = _expressions.ParseTuple(conditional: false, endName: "recursive");
        var test = _tokens.SkipName("if") ? _expressions.Parse() : null;
        var recursive = _tokens.SkipName("recursive");
        _loops++;
        var body = ParseUntil("endfor", "else");
        _loops--;
        var otherwise = _tokens.Next().Text == "else" ? ParseToEnd("endfor") : [];
        return new For(at, target, items, test, recursive, body, otherwise);
    }

    private Statement ParseSet(Token at)
    {
        var target = _expressions.ParseTarget(allowNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            return new Set(at, target, _expressions.ParseTuple());
        }

        var filter = _tokens.Current.IsOperator("|") ? _expressions.ParsePipes(new BlockInput(at)) : null;
        return new SetBlock(at, target, filter, ParseToEnd("endset"));
    }

    private MacroStatement ParseMacro(Token at)
    {
        var name = _tokens.ExpectName();
        return new MacroStatement(at, ParseDefinition(name, ParseParameters(), "endmacro"));
    }

    private CallBlock ParseCall(Token at)
    {
        var parameters = _tokens.Current.IsOperator("(") ? ParseParameters() : [];
        var (callee, arguments) = _expressions.ParseCallExpression();
        return new CallBlock(at, callee, arguments, ParseDefinition(null, parameters, "endcall"));
    }

    private MacroDefinition ParseDefinition(string? name, List<(string, Expression?)> parameters, string end)
    {
        var start = _tokens.Position;
        var loops = _loops;
        _loops = 0;
        var body = ParseToEnd(end);
        _loops = loops;
        return new MacroDefinition(name, parameters, body, _tokens.Mentions("caller", start), _tokens.Mentions("varargs", start), _tokens.Mentions("kwargs", start));
    }

    private List<(string, Expression?)> ParseParameters()
    {
        var parameters = new List<(string, Expression?)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var name = _tokens.ExpectName();
            var byDefault = _tokens.SkipOperator("=") ? _expressions.Parse() : null;
            if (byDefault is null && parameters.Count > 0 && parameters[^1].Item2 is not null)
            {
                throw _tokens.Error("non-default argument follows default argument");
            }

            parameters.Add((name, byDefault));
        }

        _tokens.ExpectOperator(")");
        return parameters;
    }

    private With ParseWith(Token at)
    {
        var variables = new List<(Expression, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (variables.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var target = _expressions.ParseTarget(tuple: false);
            _tokens.ExpectOperator("=");
            variables.Add((target, _expressions.Parse()));
        }

        return new With(at, variables, ParseToEnd("endwith"));
    }

    private ScopedBody ParseBlock(Token at)
    {
        var name = _tokens.ExpectName();
        if (!_blocks.Add(name))
        {
            throw _tokens.Error($"block '{name}' defined twice");
        }

        var scoped = _tokens.SkipName("scoped");
        _tokens.SkipName("required");
        var body = ParseUntil("endblock");
        _tokens.Next();
        _tokens.SkipName(name);
        return new ScopedBody(at, body, fromRoot: !scoped);
    }

    private ScopedBody ParseAutoescape(Token at)
    {
        if (_expressions.Parse() is not Constant { Value: false })
        {
            throw _tokens.Error("escaping of HTML is not supported: prompts are not HTML");
        }

        return new ScopedBody(at, ParseToEnd("endautoescape"), fromRoot: false);
    }

    private Unsupported ParseUnsupported(Token at)
    {
        while (_tokens.Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
        {
            _tokens.Next();
        }

        return new Unsupported(at, $"'{at.Text}' needs other templates, and there are none");
    }
}
