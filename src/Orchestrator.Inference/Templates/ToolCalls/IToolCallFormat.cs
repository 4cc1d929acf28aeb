using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Templates.ToolCalls;

/// <summary>How one family of models writes tool calls.</summary>
public interface IToolCallFormat
{
    /// <summary>
    /// The text that begins a call in the model's answer. It may be a special token; what it spells is then put there
    /// as that token, before the constraint begins.
    /// </summary>
    string Trigger { get; }

    /// <summary>What a model is told where its template does not lay out tools; how to write a call.</summary>
    string Instruction { get; }

    /// <summary>What follows the first <see cref="Trigger"/> when the answer calls these tools.</summary>
    /// <param name="tools">The tools that may be called; at least one.</param>
    /// <param name="parallel">Whether several calls may follow each other, where the family can.</param>
    /// <param name="json">How the arguments are written and bounded.</param>
    /// <returns>The constraint.</returns>
    ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json);

    /// <summary>Finds the calls in an answer. Never throws; what is no call stays text.</summary>
    /// <param name="answer">The whole answer.</param>
    /// <returns>The text without the calls, and the calls in order.</returns>
    (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer);

    /// <summary>Writes calls as the model would, for templates that do not lay them out.</summary>
    /// <param name="calls">The calls.</param>
    /// <returns>The text.</returns>
    string Write(IReadOnlyList<FunctionCallContent> calls);

    /// <summary>A call's id in the form that the family's templates accept; the same id gives the same form.</summary>
    /// <param name="callId">The id.</param>
    /// <returns>The id for the template.</returns>
    string CallId(string callId) => callId;
}
