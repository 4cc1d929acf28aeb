using System.Text.Json;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;

namespace Orchestrator.Core.Agents;

/// <summary>A member of a team: it reads the shared transcript and takes a turn when it is asked to.</summary>
public interface IAgent
{
    /// <summary>What the others know of it.</summary>
    AgentCard Card { get; }

    /// <summary>
    /// Takes a turn: calls tools where it sees fit, then answers. Tool calls and model calls are in the journal when
    /// this returns.
    /// </summary>
    /// <param name="turn">What it sees and what is asked of it.</param>
    /// <param name="cancellationToken">Stops the turn.</param>
    /// <returns>What it says.</returns>
    Task<AgentReply> TakeTurnAsync(AgentTurn turn, CancellationToken cancellationToken = default);
}

/// <summary>What an agent is asked in one turn.</summary>
public sealed record AgentTurn
{
    /// <summary>What all members see.</summary>
    public required Transcript Transcript { get; init; }

    /// <summary>What is asked of this agent now, in a line; comes last in the prompt.</summary>
    public required string Cue { get; init; }

    /// <summary>What only this agent sees, or null.</summary>
    public string? Notes { get; init; }

    /// <summary>The JSON schema that the answer must follow, or null for prose.</summary>
    public JsonElement? Schema { get; init; }

    /// <summary>The tools that it may call in this turn (<c>plugin-function</c>); empty for none, null for all of its own.</summary>
    public IReadOnlyList<string>? Tools { get; init; }

    /// <summary>How many rounds of tool calls it may make before it answers.</summary>
    public int MaxToolRounds { get; init; } = 4;

    /// <summary>How much of each tool's result goes into the transcript, in characters.</summary>
    public int MaxToolResultCharacters { get; init; } = 800;

    /// <summary>The most tokens that the answer may have.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>The seed of its sampling, or null for any.</summary>
    public long? Seed { get; init; }

    /// <summary>What the turn's calls carry to the model; the agent fills in its own name and adapters.</summary>
    public ModelRequest Request { get; init; } = new();

    /// <summary>Gets the answer's text piece by piece as it is made; may be null.</summary>
    public IProgress<string>? Progress { get; init; }
}

/// <summary>What an agent said in a turn.</summary>
/// <param name="Text">The answer as written.</param>
/// <param name="Content">The answer parsed, where a schema was given.</param>
/// <param name="TokenIds">The tokens that the text was generated as, so that the transcript keeps its KV cache, or null.</param>
/// <param name="ToolResults">What the tools gave on the way, in order.</param>
public sealed record AgentReply(
    string Text,
    JsonElement? Content = null,
    IReadOnlyList<int>? TokenIds = null,
    IReadOnlyList<ToolResult>? ToolResults = null);

/// <summary>One tool call and its outcome.</summary>
/// <param name="Tool">The tool, as <c>plugin-function</c>.</param>
/// <param name="Arguments">What it was called with.</param>
/// <param name="Result">What it gave, as text; the error's message where it failed.</param>
/// <param name="Failed">Whether it threw, was denied, or ran past its deadline.</param>
public sealed record ToolResult(string Tool, JsonElement Arguments, string Result, bool Failed = false);
