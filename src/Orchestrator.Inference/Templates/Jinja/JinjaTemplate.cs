namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>A parsed template. It never changes, so any number of threads may render it at once.</summary>
internal sealed class JinjaTemplate
{
    private readonly IReadOnlyList<Statement> _body;

    private JinjaTemplate(IReadOnlyList<Statement> body) => _body = body;

    public static JinjaTemplate Parse(string source, TemplateLimits limits)
    {
        if (source.Length > limits.MaxSourceLength)
        {
            throw new ChatTemplateException(ChatTemplateFault.Limit, $"the template has {source.Length} characters; at most {limits.MaxSourceLength} are allowed");
        }

        return new JinjaTemplate(Parser.Parse(source));
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
