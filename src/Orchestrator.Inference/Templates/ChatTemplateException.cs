using Orchestrator.Core;

namespace Orchestrator.Inference.Templates;

/// <summary>Why a template could not be parsed or rendered.</summary>
public enum ChatTemplateFault
{
    /// <summary>The template is not valid Jinja.</summary>
    Syntax,

    /// <summary>An operation does not fit its values.</summary>
    Evaluation,

    /// <summary>Something that is not defined was used.</summary>
    Undefined,

    /// <summary>The template reached for something that templates must not reach.</summary>
    Security,

    /// <summary>The template wanted more steps, time, depth or text than it is allowed.</summary>
    Limit,

    /// <summary>The template itself refused its input, by <c>raise_exception</c>.</summary>
    Raised,
}

/// <summary>A chat template that can't be parsed or rendered; the message names line and column.</summary>
public sealed class ChatTemplateException : OrchestratorException
{
    internal ChatTemplateException(ChatTemplateFault fault, string reason, int line = 0, int column = 0, Exception? inner = null)
        : base(
            ErrorKind.Model,
            line == 0 ? $"Chat template: {reason}" : $"Chat template, line {line}, column {column}: {reason}",
            Remedies.GetValueOrDefault(fault),
            inner)
    {
        Fault = fault;
        Reason = reason;
        Line = line;
        Column = column;
    }

    /// <summary>Why it failed.</summary>
    public ChatTemplateFault Fault { get; }

    /// <summary>What happened, without the place.</summary>
    public string Reason { get; }

    /// <summary>The line in the template, from 1; 0 where it isn't known.</summary>
    public int Line { get; }

    /// <summary>The column in the line, from 1; 0 where it isn't known.</summary>
    public int Column { get; }

    private static readonly Dictionary<ChatTemplateFault, string> Remedies = new()
    {
        [ChatTemplateFault.Syntax] = "Check the template; the model's file may carry a broken one.",
        [ChatTemplateFault.Limit] = "Shorten the input, or raise the limit if you trust the template.",
        [ChatTemplateFault.Raised] = "The model's template does not accept such messages; change their order, roles or tools.",
    };
}
