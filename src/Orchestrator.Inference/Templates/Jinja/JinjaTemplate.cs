namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>A parsed template. It never changes, so any number of threads may render it at once.</summary>
internal sealed class JinjaTemplate
{
    private readonly IReadOnlyList<Statement> _body;

    private readonly IReadOnlySet<string> _names;

    private JinjaTemplate(IReadOnlyList<Statement> body, IReadOnlySet<string> names)
    {
        _body = body;
        _names = names;
    }

    /// <summary>Whether the template speaks of a variable.</summary>
    public bool Reads(string variable) => _names.Contains(variable);

    public static JinjaTemplate Parse(string source, TemplateLimits limits)
    {
        if (source.Length > limits.MaxSourceLength)
        {
            throw new ChatTemplateException(ChatTemplateFault.Limit, $"the template has {source.Length} characters; at most {limits.MaxSourceLength} are allowed");
        }

        var tokens = Lexer.Tokenise(source);
        return new JinjaTemplate(Parser.Parse(tokens), tokens.Where(t => t.Kind == TokenKind.Name).Select(t => t.Text).ToHashSet());
    }

    public string Render(IReadOnlyDictionary<string, object?> inputs, TemplateLimits limits, TimeProvider time, CancellationToken cancellation)
    {
        var frame = new Frame(new RenderState(limits, time, cancellation), inputs);
        try
        {
            Statement.ExecuteAll(_body, frame);
        }
        catch (TemplateFailure failure)
        {
            throw failure.At(0, 0);
        }

        return frame.Output.ToString();
    }
}
