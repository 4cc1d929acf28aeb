using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Chat;

/// <summary>The text that begins a tool call, and the tokens that stand for it in a prompt.</summary>
internal sealed class ToolTrigger(string text, ITokenizer tokenizer)
{
    public string Text { get; } = text;

    public int[] TokenIds { get; } = tokenizer.Tokenize(text, parseSpecial: true);
}

/// <summary>Reasoning that comes before an answer of a given form, and what comes after it.</summary>
/// <param name="Close">The tokens that end it, for where it is cut.</param>
/// <param name="Behind">The tokens between it and what follows.</param>
/// <param name="Then">What the answer must look like then.</param>
/// <param name="MaxTokens">The most tokens, reasoning included.</param>
internal sealed record ReasoningPhase(int[] Close, int[] Behind, ITokenConstraint Then, int MaxTokens);

/// <summary>What a chat call comes down to.</summary>
/// <param name="Request">The first generation.</param>
/// <param name="Trigger">What begins a tool call, where tools may be called.</param>
/// <param name="CallConstraint">What follows the trigger.</param>
/// <param name="Model">The model's name.</param>
internal sealed record ChatCallPlan(
    GenerationRequest Request, ToolTrigger? Trigger, ITokenConstraint? CallConstraint, string Model)
{
    /// <summary>The tools that may be called.</summary>
    public IReadOnlyList<AIFunctionDeclaration> Tools { get; init; } = [];

    /// <summary>Whether the answer is a tool call whatever the model says; it begins at once, or behind reasoning.</summary>
    public bool IsRequiredCall { get; init; }

    /// <summary>What the first generation is, where it is reasoning.</summary>
    public ReasoningPhase? Reasoning { get; init; }

    /// <summary>Whether the prompt ends within reasoning.</summary>
    public bool IsWithinReasoning { get; init; }

    /// <summary>Whether the constraint of the first generation holds the whole answer, calls included.</summary>
    public bool IsFramed { get; init; }

    /// <summary>Tokens of the prompt, without what was begun of the answer.</summary>
    public int PromptTokens { get; } = Request.Prompt.Count;

    /// <summary>See <see cref="Orchestrator.Core.Models.ModelCall.PromptHash"/>.</summary>
    public string PromptHash { get; } =
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(Request.Prompt.ToArray())));

    /// <summary>Identifies the response; the same prompt and seed give the same one.</summary>
    public string ResponseId => $"{PromptHash[..12]}-{Request.Sampling.Seed:x}";

    /// <summary>Begins the ids of tool calls.</summary>
    public string CallIdPrefix => $"call_{ResponseId}_";

    /// <summary>The generation of what reasoning led to.</summary>
    /// <param name="begun">The answer's tokens so far.</param>
    public GenerationRequest Answer(IReadOnlyList<int> begun) => Request with
    {
        Prompt = [.. Request.Prompt.Take(PromptTokens), .. begun],
        Constraint = Reasoning!.Then,
        MaxTokens = Reasoning.MaxTokens - begun.Count,
    };

    /// <summary>The generation of a tool call after a beginning of the answer.</summary>
    /// <param name="begun">The answer's tokens so far, the trigger's last.</param>
    /// <param name="maxTokens">What is left of the budget.</param>
    public GenerationRequest Call(IReadOnlyList<int> begun, int maxTokens) => Request with
    {
        Prompt = [.. Request.Prompt.Take(PromptTokens), .. begun],
        Constraint = CallConstraint,
        MaxTokens = maxTokens,
    };
}
