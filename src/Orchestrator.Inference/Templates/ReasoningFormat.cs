using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates;

/// <summary>How a model sets its reasoning apart from its answer.</summary>
public sealed class ReasoningFormat
{
    private static readonly Marker[] Think = [new("<think>", true), new("</think>", false)];

    private static readonly string[] ThinkTokens = ["<think>", "</think>"];

    private static readonly Marker[] Harmony =
    [
        new("<|channel|>analysis<|message|>", true),
        new("<|channel|>commentary<|message|>", false),
        new("<|channel|>final<|message|>", false),
        new("<|start|>assistant", false),
        new("<|end|>", false),
        new("<|return|>", false),
    ];

    private static readonly Marker[] Gemma = [new("<|channel>thought", true), new("<channel|>", false)];

    private ReasoningFormat(IReadOnlyList<Marker> markers, IReadOnlyList<string> tokens, bool startsReasoning)
    {
        Markers = markers;
        Tokens = tokens;
        StartsReasoning = startsReasoning;
    }

    /// <summary>A text that the model writes, and whether what follows it is reasoning.</summary>
    /// <param name="Text">The text.</param>
    /// <param name="Reasoning">Whether reasoning follows.</param>
    internal sealed record Marker(string Text, bool Reasoning);

    internal IReadOnlyList<Marker> Markers { get; }

    /// <summary>What of the markers is special tokens where the vocabulary has them.</summary>
    internal IReadOnlyList<string> Tokens { get; }

    /// <summary>Whether an answer begins within reasoning, because the prompt ends with its opening tag.</summary>
    public bool StartsReasoning { get; }

    /// <summary>Finds out how a template's model reasons.</summary>
    /// <param name="template">The template.</param>
    /// <returns>The format, or null where the template speaks of no reasoning.</returns>
    public static ReasoningFormat? Detect(ChatTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        if (template.Source.Contains("<|channel|>", StringComparison.Ordinal))
        {
            return new ReasoningFormat(Harmony, ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>"], false);
        }

        if (template.Source.Contains("<|channel>thought", StringComparison.Ordinal))
        {
            return new ReasoningFormat(Gemma, ["<|channel>", "<channel|>"], false);
        }

        if (!template.Source.Contains("</think>", StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            var prompt = template.Render(new ChatTemplateInput([new JsonObject { ["role"] = "user", ["content"] = "q" }]));
            return new ReasoningFormat(Think, ThinkTokens, prompt.TrimEnd().EndsWith("<think>", StringComparison.Ordinal));
        }
        catch (ChatTemplateException)
        {
            return new ReasoningFormat(Think, ThinkTokens, false);
        }
    }

    /// <summary>Starts reading an answer.</summary>
    /// <returns>A reader for one answer.</returns>
    public ReasoningReader Start() => new(this);
}
