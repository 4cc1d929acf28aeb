namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>The tokens of a template with a place to read from.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    public int Position { get; private set; }

    public Token Current => tokens[Position];

    public Token Following => tokens[Math.Min(Position + 1, tokens.Count - 1)];

    public Token Next()
    {
        var token = tokens[Position];
        Position = Math.Min(Position + 1, tokens.Count - 1);
        return token;
    }

    public bool SkipName(string name) => Skip(Current.IsName(name));

    public bool SkipOperator(string op) => Skip(Current.IsOperator(op));

    public Token Expect(TokenKind kind, string description)
        => Current.Kind == kind ? Next() : throw Error($"expected {description}, got {Current.Describe()}");

    public string ExpectName() => Expect(TokenKind.Name, "a name").Text;

    public void ExpectOperator(string op)
    {
        if (!SkipOperator(op))
        {
            throw Error($"expected '{op}', got {Current.Describe()}");
        }
    }

    /// <summary>Whether a name was read since a position.</summary>
    public bool Mentions(string name, int since)
    {
        for (var i = since; i < Position; i++)
        {
            if (tokens[i].IsName(name) && !tokens[i - 1].IsOperator("."))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Refuses a template that is nested deeper than the stack allows.</summary>
    public void CheckDepth()
    {
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new ChatTemplateException(ChatTemplateFault.Limit, "the template is nested too deep", Current.Line, Current.Column);
        }
    }

    public ChatTemplateException Error(string reason) => new(ChatTemplateFault.Syntax, reason, Current.Line, Current.Column);

    private bool Skip(bool condition)
    {
        if (condition)
        {
            Next();
        }

        return condition;
    }
}
