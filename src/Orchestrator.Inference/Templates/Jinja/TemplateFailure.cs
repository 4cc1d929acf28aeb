namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>
/// A failure in an operation that doesn't know where in the template it is; the node that asked for it adds the place.
/// </summary>
internal sealed class TemplateFailure(ChatTemplateFault fault, string reason) : Exception(reason)
{
    public ChatTemplateFault Fault { get; } = fault;

    public static TemplateFailure Type(string reason) => new(ChatTemplateFault.Evaluation, reason);

    public static TemplateFailure Limit(string reason) => new(ChatTemplateFault.Limit, reason);

    public ChatTemplateException At(int line, int column) => new(Fault, Message, line, column, this);
}
