namespace Orchestrator.Core.Environments;

/// <summary>
/// A world that agents perceive and act in together, in the shape of PettingZoo's parallel API (Terry et al.,
/// NeurIPS 2021).
/// </summary>
public interface IMultiAgentEnvironment
{
    /// <summary>All agents that can ever act in it.</summary>
    IReadOnlyList<string> PossibleAgents { get; }

    /// <summary>Begins an episode.</summary>
    /// <param name="seed">The same seed gives the same episode for the same actions.</param>
    /// <param name="cancellationToken">Stops the reset.</param>
    /// <returns>What each agent perceives first.</returns>
    ValueTask<IReadOnlyDictionary<string, AgentStep>> ResetAsync(ulong seed, CancellationToken cancellationToken = default);

    /// <summary>Carries out a joint action: one action for each agent that is still active.</summary>
    /// <param name="actions">An action by agent, each one of its legal actions.</param>
    /// <param name="cancellationToken">Stops the step.</param>
    /// <returns>What each agent perceives next.</returns>
    /// <exception cref="ArgumentException">An agent's action is missing or not legal.</exception>
    ValueTask<IReadOnlyDictionary<string, AgentStep>> StepAsync(
        IReadOnlyDictionary<string, string> actions, CancellationToken cancellationToken = default);
}

/// <summary>What one agent perceives after a step.</summary>
/// <param name="Text">The observation in words.</param>
/// <param name="Values">The observation in numbers; the same length in every step.</param>
/// <param name="LegalActions">What it may do next; empty when it is done.</param>
/// <param name="Reward">The reward of the last joint action.</param>
/// <param name="Terminated">Whether the episode ended for it by the world's rules.</param>
/// <param name="Truncated">Whether it was cut off, by a step limit for one.</param>
/// <param name="Info">Anything else worth logging.</param>
public sealed record AgentStep(
    string Text,
    IReadOnlyList<float> Values,
    IReadOnlyList<string> LegalActions,
    double Reward = 0,
    bool Terminated = false,
    bool Truncated = false,
    IReadOnlyDictionary<string, string>? Info = null);
