namespace Orchestrator.Inference.Templates;

/// <summary>
/// A part of a rendered prompt: text, in which the texts of special tokens mean those tokens, or token ids that are
/// known already. Parts are tokenised apart from each other.
/// </summary>
/// <param name="Text">The text; empty where there are ids.</param>
/// <param name="TokenIds">The ids, or null.</param>
public readonly record struct PromptSegment(string Text, IReadOnlyList<int>? TokenIds = null);
