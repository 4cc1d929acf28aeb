using System.Text.Json;
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

    /// <summary>
    /// The texts that are special tokens where the vocabulary has them: an answer is then read by those tokens, and the
    /// same text spelled letter by letter is only text.
    /// </summary>
    IReadOnlyList<string> Markers { get; }

    /// <summary>What opens the text that is for the user, where something must stand before it.</summary>
    string Opening => "";

    /// <summary>Whether a message can hold several calls.</summary>
    bool SeveralAtOnce => true;

    /// <summary>What a model is told where its template does not lay out tools; how to write a call.</summary>
    string Instruction { get; }

    /// <summary>What follows the first <see cref="Trigger"/> when the answer calls these tools.</summary>
    /// <param name="tools">The tools that may be called; at least one.</param>
    /// <param name="parallel">Whether several calls may follow each other, where the family can.</param>
    /// <param name="json">How the arguments are written and bounded.</param>
    /// <returns>The constraint.</returns>
    ConstraintDefinition Constrain(
        IReadOnlyList<AIFunctionDeclaration> tools, bool parallel, JsonConstraintOptions json);

    /// <summary>
    /// The whole answer, where the family puts every answer into messages of its own: reasoning, text, or the first
    /// <see cref="Trigger"/> and what follows it.
    /// </summary>
    /// <param name="text">What the text that is for the user must look like; null for any text, perhaps after reasoning.</param>
    /// <param name="tools">The tools that may be called; may be empty.</param>
    /// <param name="json">How the arguments are written and bounded.</param>
    /// <returns>The constraint, or null where answers are plain text up to a call.</returns>
    ConstraintDefinition? Frame(
        ConstraintDefinition? text, IReadOnlyList<AIFunctionDeclaration> tools, JsonConstraintOptions json) => null;

    /// <summary>Finds the calls in an answer. Never throws; what is no call stays text.</summary>
    /// <param name="answer">The whole answer, in which the texts of <see cref="Markers"/> mean those tokens.</param>
    /// <param name="tools">The tools that may be called; their schemas tell what a value is, where the family does not.</param>
    /// <returns>The text without the calls, and the calls in order.</returns>
    (string Text, IReadOnlyList<FunctionCallContent> Calls) Parse(string answer, IReadOnlyList<AIFunctionDeclaration> tools);

    /// <summary>Writes calls as the model would, for templates that do not lay them out.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="data">What is applied to names and arguments, which are data; null for nothing.</param>
    /// <returns>The text, in which the texts of <see cref="Markers"/> mean those tokens.</returns>
    string Write(IReadOnlyList<FunctionCallContent> calls, Func<string, string>? data = null);

    /// <summary>What stands before an argument's value, where arguments are written one by one.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="isFirst">Whether it is the first of the call.</param>
    /// <returns>The text.</returns>
    string BeforeArgument(string name, bool isFirst) => $"{(isFirst ? "{" : ", ")}{CallJson.Quote(name)}:";

    /// <summary>An argument's value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="isWhole">Whether it ends there; false for a text of which more may follow.</param>
    /// <returns>The text.</returns>
    string Argument(JsonElement value, bool isWhole = true) => $" {JsonSerializer.Serialize(value, CallJson.Options)}"[..^(isWhole ? 0 : 1)];

    /// <summary>What stands behind an argument's value.</summary>
    /// <param name="isLast">Whether it is the last of the call.</param>
    /// <returns>The text, which the next argument's <see cref="BeforeArgument"/> has again.</returns>
    string BehindArgument(bool isLast) => isLast ? "}" : ",";

    /// <summary>Whether the family's template takes the results of calls in the message that made them.</summary>
    bool ResultsWithCalls => false;

    /// <summary>What a template that lays out calls is given as the text beside them.</summary>
    /// <param name="reasoning">The reasoning that led to the calls; may be empty.</param>
    /// <param name="text">The text of the message; may be empty.</param>
    /// <returns>The text for the template.</returns>
    string Beside(string reasoning, string text) => text;

    /// <summary>A call's id in the form that the family's templates accept; the same id gives the same form.</summary>
    /// <param name="callId">The id.</param>
    /// <returns>The id for the template.</returns>
    string CallId(string callId) => callId;
}
