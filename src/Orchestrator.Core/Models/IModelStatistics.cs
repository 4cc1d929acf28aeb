namespace Orchestrator.Core.Models;

/// <summary>What serves a model can say what it has done; found through <c>IChatClient.GetService</c>.</summary>
public interface IModelStatistics
{
    /// <summary>Counters (only ever growing) and gauges by name, in snake_case with the unit last.</summary>
    /// <returns>A consistent copy.</returns>
    IReadOnlyList<ModelStatistic> Read();
}

/// <summary>One figure about a model's work.</summary>
/// <param name="Name">E.g. <c>prompt_tokens_computed_total</c>.</param>
/// <param name="Description">What it counts.</param>
/// <param name="Value">The value now.</param>
/// <param name="IsCounter">Whether it only ever grows.</param>
/// <param name="Labels">What tells figures of one name apart, e.g. the agent; null for none. Their number is bounded.</param>
public sealed record ModelStatistic(
    string Name, string Description, double Value, bool IsCounter, IReadOnlyList<KeyValuePair<string, string>>? Labels = null);
