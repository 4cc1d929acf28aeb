namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Parses expressions; each method is one level of precedence, loosest first.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] ComparisonOperators = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse(bool conditional = true)
    {
        tokens.CheckDepth();
        return conditional ? ParseConditional() : ParseOr();
    }

    /// <summary>Parses an expression, or several separated by commas as a tuple.</summary>
    public Expression ParseTuple(bool conditional = true, string? endName = null, bool parenthesised = false)
        => ParseItems(() => Parse(conditional), endName, parenthesised);

    /// <summary>Parses what can be assigned to.</summary>
    public Expression ParseTarget(string? endName = null, bool allowNamespace = false, bool tuple = true)
    {
        var at = tokens.Current;
        var target = tuple
            ? ParseItems(() => ParsePrimary(allowNamespace), endName, parenthesised: false)
            : ParsePrimary(allowNamespace);
        return CanAssign(target)
            ? target
            : throw new ChatTemplateException(ChatTemplateFault.Syntax, "can't assign to this", at.Line, at.Column);
    }

    /// <summary>Parses the call that a call block makes.</summary>
    public (Expression Callee, ArgumentList Arguments) ParseCallExpression()
    {
        var at = tokens.Current;
        return Parse() is Call call
            ? (call.Callee, call.Arguments)
            : throw new ChatTemplateException(ChatTemplateFault.Syntax, "expected call", at.Line, at.Column);
    }

    /// <summary>Parses the filters of a filter block: a name, and more after pipes.</summary>
    public Expression ParseFilters(Expression input) => ParsePipes(ParseFilter(input));

    /// <summary>Parses filters for as long as there are pipes.</summary>
    public Expression ParsePipes(Expression input)
    {
        while (tokens.SkipOperator("|"))
        {
            input = ParseFilter(input);
        }

        return input;
    }

    private static bool CanAssign(Expression target) => target switch
    {
        Name name => name.Id is not ("true" or "false" or "none" or "True" or "False" or "None"),
        NamespaceReference => true,
        TupleDisplay items => items.Items.All(CanAssign),
        _ => false,
    };

    private Expression ParseItems(Func<Expression> parse, string? endName, bool parenthesised)
    {
        var at = tokens.Current;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsTupleEnd(endName))
        {
            items.Add(parse());
            if (!tokens.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        if (isTuple || (items.Count == 0 && parenthesised))
        {
            return new TupleDisplay(at, items);
        }

        return items.Count == 1 ? items[0] : throw tokens.Error($"expected an expression, got {tokens.Current.Describe()}");
    }

    private bool IsTupleEnd(string? endName)
        => tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.End
            || tokens.Current.IsOperator(")")
            || (endName is not null && tokens.Current.IsName(endName));

    private Expression ParseConditional()
    {
        var value = ParseOr();
        while (tokens.Current is var at && tokens.SkipName("if"))
        {
            var test = ParseOr();
            value = new Conditional(at, test, value, tokens.SkipName("else") ? Parse() : null);
        }

        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.Current is var at && tokens.SkipName("or"))
        {
            left = new LogicalOperation(at, false, left, ParseAnd());
        }

        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.Current is var at && tokens.SkipName("and"))
        {
            left = new LogicalOperation(at, true, left, ParseNot());
        }

        return left;
    }

    private Expression ParseNot()
    {
        tokens.CheckDepth();
        return tokens.Current is var at && tokens.SkipName("not") ? new UnaryOperation(at, "not", ParseNot()) : ParseComparison();
    }

    private Expression ParseComparison()
    {
        var first = ParseSum();
        var at = tokens.Current;
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Operator && ComparisonOperators.Contains(tokens.Current.Text))
            {
                rest.Add((tokens.Next().Text, ParseSum()));
            }
            else if (tokens.SkipName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (tokens.Current.IsName("not") && tokens.Following.IsName("in"))
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(at, first, rest);
            }
        }
    }

    private Expression ParseSum()
    {
        var left = ParseConcatenation();
        while (tokens.Current.IsOperator("+") || tokens.Current.IsOperator("-"))
        {
            var op = tokens.Next();
            left = new BinaryOperation(op, op.Text, left, ParseConcatenation());
        }

        return left;
    }

    private Expression ParseConcatenation()
    {
        var at = tokens.Current;
        var first = ParseProduct();
        if (!tokens.Current.IsOperator("~"))
        {
            return first;
        }

        var parts = new List<Expression> { first };
        while (tokens.SkipOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return new Concatenation(at, parts);
    }

    private Expression ParseProduct()
    {
        var left = ParsePower();
        while (tokens.Current.Kind == TokenKind.Operator && tokens.Current.Text is "*" or "/" or "//" or "%")
        {
            var op = tokens.Next();
            left = new BinaryOperation(op, op.Text, left, ParsePower());
        }

        return left;
    }

    private Expression ParsePower()
    {
        var left = ParseUnary();
        while (tokens.Current is var at && tokens.SkipOperator("**"))
        {
            left = new BinaryOperation(at, "**", left, ParseUnary());
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        tokens.CheckDepth();
        var at = tokens.Current;
        Expression node = at.IsOperator("-") || at.IsOperator("+")
            ? new UnaryOperation(tokens.Next(), at.Text, ParseUnary(withFilters: false))
            : ParsePrimary(allowNamespace: false);
        node = ParsePostfix(node);
        return withFilters ? ParseFiltersAndTests(node) : node;
    }

    private Expression ParsePrimary(bool allowNamespace)
    {
        var at = tokens.Current;
        switch (at.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                if (allowNamespace && tokens.SkipOperator("."))
                {
                    return new NamespaceReference(at, at.Text, tokens.ExpectName());
                }

                return at.Text switch
                {
                    "true" or "True" => new Constant(at, PyNumber.Box(true)),
                    "false" or "False" => new Constant(at, PyNumber.Box(false)),
                    "none" or "None" => new Constant(at, null),
                    _ => new Name(at, at.Text),
                };
            case TokenKind.String:
                var text = tokens.Next().Text;
                while (tokens.Current.Kind == TokenKind.String)
                {
                    text += tokens.Next().Text;
                }

                return new Constant(at, text);
            case TokenKind.Integer or TokenKind.Float:
                return new Constant(at, tokens.Next().Value);
            case TokenKind.Operator when at.Text is "(" or "[" or "{":
                tokens.Next();
                return at.Text switch { "(" => ParseParentheses(), "[" => ParseList(at), _ => ParseDict(at) };
            default:
                throw tokens.Error($"unexpected {at.Describe()}");
        }
    }

    private Expression ParseParentheses()
    {
        var inner = ParseTuple(parenthesised: true);
        tokens.ExpectOperator(")");
        return inner;
    }

    private ListDisplay ParseList(Token at)
    {
        var items = new List<Expression>();
        ParseSeparated("]", () => items.Add(Parse()));
        return new ListDisplay(at, items);
    }

    private DictDisplay ParseDict(Token at)
    {
        var items = new List<(Expression, Expression)>();
        ParseSeparated("}", () =>
        {
            var key = Parse();
            tokens.ExpectOperator(":");
            items.Add((key, Parse()));
        });
        return new DictDisplay(at, items);
    }

    private void ParseSeparated(string close, Action parse)
    {
        for (var first = true; !tokens.Current.IsOperator(close); first = false)
        {
            if (!first)
            {
                tokens.ExpectOperator(",");
                if (tokens.Current.IsOperator(close))
                {
                    break;
                }
            }

            parse();
        }

        tokens.ExpectOperator(close);
    }

    private Expression ParsePostfix(Expression node)
    {
        while (true)
        {
            var at = tokens.Current;
            if (tokens.SkipOperator("."))
            {
                var name = tokens.Next();
                node = name.Kind switch
                {
                    TokenKind.Name => new AttributeAccess(at, node, name.Text),
                    TokenKind.Integer => new ItemAccess(at, node, new Constant(name, name.Value)),
                    _ => throw tokens.Error("expected name or number"),
                };
            }
            else if (tokens.SkipOperator("["))
            {
                node = new ItemAccess(at, node, ParseSubscript(at));
            }
            else if (at.IsOperator("("))
            {
                node = new Call(at, node, ParseArguments());
            }
            else
            {
                return node;
            }
        }
    }

    private Expression ParseSubscript(Token at)
    {
        var keys = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            if (keys.Count > 0)
            {
                tokens.ExpectOperator(",");
            }

            keys.Add(ParseKey());
        }

        tokens.ExpectOperator("]");
        return keys.Count == 1 ? keys[0] : new TupleDisplay(at, keys);
    }

    private Expression ParseKey()
    {
        var at = tokens.Current;
        Expression? start = null;
        if (!tokens.Current.IsOperator(":"))
        {
            start = Parse();
            if (!tokens.Current.IsOperator(":"))
            {
                return start;
            }
        }

        tokens.ExpectOperator(":");
        var stop = AtSliceEnd(orColon: true) ? null : Parse();
        var step = tokens.SkipOperator(":") && !AtSliceEnd(orColon: false) ? Parse() : null;
        return new SliceDisplay(at, start, stop, step);
    }

    private bool AtSliceEnd(bool orColon)
        => tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",") || (orColon && tokens.Current.IsOperator(":"));

    private Expression ParseFiltersAndTests(Expression node)
    {
        while (true)
        {
            var at = tokens.Current;
            if (tokens.SkipOperator("|"))
            {
                node = ParseFilter(node);
            }
            else if (tokens.SkipName("is"))
            {
                node = ParseTest(at, node);
            }
            else if (at.IsOperator("("))
            {
                node = new Call(at, node, ParseArguments());
            }
            else
            {
                return node;
            }
        }
    }

    private FilterApplication ParseFilter(Expression value)
    {
        var at = tokens.Current;
        var name = ParseDottedName();
        var arguments = tokens.Current.IsOperator("(") ? ParseArguments() : ArgumentList.Empty;
        return new FilterApplication(at, value, name, Filters.Find(name), arguments);
    }

    private Expression ParseTest(Token at, Expression value)
    {
        var negated = tokens.SkipName("not");
        var name = ParseDottedName();
        var arguments = ArgumentList.Empty;
        if (tokens.Current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (StartsArgument(tokens.Current))
        {
            if (tokens.Current.IsName("is"))
            {
                throw tokens.Error("you cannot chain multiple tests with is");
            }

            arguments = new ArgumentList([ParsePostfix(ParsePrimary(allowNamespace: false))], [], null, null);
        }

        Expression test = new TestApplication(at, value, name, Tests.Find(name), arguments);
        return negated ? new UnaryOperation(at, "not", test) : test;
    }

    private static bool StartsArgument(Token token) => token.Kind switch
    {
        TokenKind.Name => token.Text is not ("else" or "or" or "and"),
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        _ => token.IsOperator("[") || token.IsOperator("{"),
    };

    private string ParseDottedName()
    {
        var name = tokens.ExpectName();
        while (tokens.SkipOperator("."))
        {
            name += "." + tokens.ExpectName();
        }

        return name;
    }

    private ArgumentList ParseArguments()
    {
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? rest = null;
        Expression? namedRest = null;
        tokens.ExpectOperator("(");
        ParseSeparated(")", () =>
        {
            if (tokens.Current.IsOperator("*") && rest is null && namedRest is null)
            {
                tokens.Next();
                rest = Parse();
            }
            else if (tokens.Current.IsOperator("**") && namedRest is null)
            {
                tokens.Next();
                namedRest = Parse();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("=") && namedRest is null)
            {
                var name = tokens.Next().Text;
                tokens.Next();
                named.Add((name, Parse()));
            }
            else if (rest is null && namedRest is null && named.Count == 0)
            {
                positional.Add(Parse());
            }
            else
            {
                throw tokens.Error("invalid syntax for function call expression");
            }
        });
        return new ArgumentList(positional, named, rest, namedRest);
    }
}
