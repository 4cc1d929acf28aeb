using System.Globalization;
using Microsoft.Extensions.AI;

namespace Orchestrator.Core.Models;

/// <summary>An adapter that a call wants active, and how strongly.</summary>
/// <param name="Name">The adapter's name in the model store.</param>
/// <param name="Scale">Multiplies the adapter's own scale; 0 switches it off, 1 is as trained.</param>
public sealed record AdapterUse(string Name, float Scale = 1f)
{
    /// <summary>Reads adapters as people write them: names, each with its scale where that isn't 1.</summary>
    /// <param name="text">E.g. <c>tone</c>, <c>tone*0.5</c> or <c>tone*0.5 + style</c>.</param>
    /// <returns>The adapters in order.</returns>
    /// <exception cref="OrchestratorException">A name is missing, or a scale is no number.</exception>
    public static IReadOnlyList<AdapterUse> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Split(" + ").Select(One)];

        AdapterUse One(string part)
        {
            var star = part.LastIndexOf('*');
            var name = (star < 0 ? part : part[..star]).Trim();
            var scale = 1f;
            return name.Length > 0
                && (star < 0 || (float.TryParse(part.AsSpan(star + 1), CultureInfo.InvariantCulture, out scale) && float.IsFinite(scale)))
                    ? new AdapterUse(name, scale)
                    : throw new OrchestratorException(ErrorKind.Usage, $"'{text}' names no adapters.", "Write NAME, NAME*SCALE, or several with ' + ' between them.");
        }
    }
}

/// <summary>
/// What a model call needs beyond chat. It travels on <see cref="ChatOptions"/> and is stamped by one decorator for
/// each agent, so that nobody else has to know it.
/// </summary>
public sealed record ModelRequest
{
    private const string Key = "orchestrator.request";

    /// <summary>The run that the call belongs to.</summary>
    public string? RunId { get; init; }

    /// <summary>The agent that asks; statistics and fairness go by it.</summary>
    public string? Agent { get; init; }

    /// <summary>The adapters to apply, in order. KV caches are shared only between equal lists.</summary>
    public IReadOnlyList<AdapterUse> Adapters { get; init; } = [];

    /// <summary>Higher is served earlier; 0 is ordinary. A lower one is delayed, never starved.</summary>
    public int Priority { get; init; }

    /// <summary>When the answer is no longer wanted.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>
    /// The tools that this agent may call, by name; null allows all. The prompt always lists the union of the team's
    /// tools, so that its KV cache is shared; what is not allowed here is kept out by the constraint.
    /// </summary>
    public IReadOnlyList<string>? AllowedTools { get; init; }

    /// <summary>
    /// Whether <see cref="ModelCall.Tokens"/> is wanted, and with how many alternatives for each token, 0 to 20; null for
    /// neither.
    /// </summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Text that the answer is made to begin with; it is part of the answer.</summary>
    public string? AnswerPrefix { get; init; }

    /// <summary>Puts this request on the options of a call.</summary>
    /// <param name="options">The options to stamp; null makes new ones.</param>
    /// <returns>A copy of the options that carries this request.</returns>
    public ChatOptions ApplyTo(ChatOptions? options)
    {
        options = options?.Clone() ?? new ChatOptions();
        options.AdditionalProperties ??= [];
        options.AdditionalProperties[Key] = this;
        return options;
    }

    /// <summary>Reads the request that a call carries.</summary>
    /// <param name="options">The options of the call.</param>
    /// <returns>The request, or an empty one where the call carries none.</returns>
    public static ModelRequest From(ChatOptions? options) =>
        options?.AdditionalProperties?.TryGetValue(Key, out var value) == true && value is ModelRequest request
            ? request
            : new ModelRequest();
}
