using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Orchestrator.Inference.Templates;

/// <summary>How a model sets its reasoning apart from its answer.</summary>
public sealed class ReasoningFormat
{
    private static readonly ReasoningFormat Think = new(
        [new("<think>", true), new("</think>", false)], ["<think>", "</think>"], "<think>\n", "</think>", "\n\n");

    private static readonly ReasoningFormat Harmony = new(
        [
            new("<|channel|>analysis<|message|>", true),
            new("<|channel|>commentary<|message|>", false),
            new("<|channel|>final<|message|>", false),
            new("<|start|>assistant", false),
            new("<|end|>", false),
            new("<|return|>", false),
        ],
        ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>"],
        "<|channel|>analysis<|message|>",
        "<|end|>",
        "<|start|>assistant")
    {
        IsUsual = true,
    };

    private static readonly ReasoningFormat Gemma = new(
        [new("<|channel>thought", true), new("<channel|>", false)], ["<|channel>", "<channel|>"], "<|channel>thought\n", "<channel|>", "");

    private ReasoningFormat(IReadOnlyList<Marker> markers, IReadOnlyList<string> tokens, string open, string close, string behind)
    {
        Markers = markers;
        Tokens = tokens;
        Open = open;
        Close = close;
        Behind = behind;
    }

    /// <summary>A text that the model writes, and whether what follows it is reasoning.</summary>
    /// <param name="Text">The text.</param>
    /// <param name="Reasoning">Whether reasoning follows.</param>
    internal sealed record Marker(string Text, bool Reasoning);

    internal IReadOnlyList<Marker> Markers { get; }

    /// <summary>What of the markers is special tokens where the vocabulary has them.</summary>
    internal IReadOnlyList<string> Tokens { get; }

    /// <summary>What begins reasoning.</summary>
    internal string Open { get; }

    /// <summary>The token that ends it.</summary>
    internal string Close { get; }

    /// <summary>What stands between it and the answer.</summary>
    internal string Behind { get; }

    /// <summary>Whether the model reasons where nobody says whether it should.</summary>
    internal bool IsUsual { get; private init; }

    /// <summary>Finds out how a template's model reasons.</summary>
    /// <param name="template">The template.</param>
    /// <returns>The format, or null where the template speaks of no reasoning.</returns>
    public static ReasoningFormat? Detect(ChatTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        bool Says(string text) => template.Source.Contains(text, StringComparison.Ordinal);
        return Says("<|channel|>") ? Harmony : Says("<|channel>thought") ? Gemma : Says("</think>") ? Think : null;
    }

    /// <summary>The variables by which templates are told how much to reason.</summary>
    /// <param name="effort">How much; null leaves it to the template.</param>
    /// <returns>The variables, or null for none.</returns>
    /// <remarks>None sets no <c>reasoning_effort</c>, which knows no such step: prompts then differ at their ends, if at all.</remarks>
    public static JsonObject? Variables(ReasoningEffort? effort) => effort switch
    {
        null => null,
        ReasoningEffort.None => new JsonObject { ["enable_thinking"] = false },
        _ => Thinking(effort.Value),
    };

    /// <summary>Whether an answer begins within reasoning, because its prompt ends with what begins it.</summary>
    /// <param name="prompt">The end of the prompt.</param>
    /// <returns>Whether it does.</returns>
    public bool IsBegunBy(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return prompt.AsSpan().TrimEnd().EndsWith(Open.AsSpan().TrimEnd());
    }

    /// <summary>Starts reading an answer.</summary>
    /// <param name="within">Whether it begins within reasoning.</param>
    /// <returns>A reader for one answer.</returns>
    public ReasoningReader Start(bool within = false) => new(this, within);

    private static JsonObject Thinking(ReasoningEffort effort) => new()
    {
        ["enable_thinking"] = true,

        // No template knows more steps than three.
        ["reasoning_effort"] = effort switch { ReasoningEffort.Low => "low", ReasoningEffort.Medium => "medium", _ => "high" },
    };
}
