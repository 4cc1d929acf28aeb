using Orchestrator.Core.Agents;

namespace Orchestrator.Coordination.Tests;

/// <summary>An agent that does what a function says.</summary>
internal sealed class ScriptedAgent(string name, Func<AgentTurn, CancellationToken, Task<AgentReply>> take) : IAgent
{
    private readonly List<AgentTurn> _turns = [];

    internal ScriptedAgent(string name, Func<AgentTurn, string> says)
        : this(name, (turn, _) => Task.FromResult(new AgentReply(says(turn))))
    {
    }

    public AgentCard Card { get; init; } = new(name, $"{name}'s role", $"What {name} does.", [], []);

    internal IReadOnlyList<AgentTurn> Turns
    {
        get
        {
            lock (_turns)
            {
                return [.. _turns];
            }
        }
    }

    public Task<AgentReply> TakeTurnAsync(AgentTurn turn, CancellationToken cancellationToken = default)
    {
        lock (_turns)
        {
            _turns.Add(turn);
        }

        return take(turn, cancellationToken);
    }
}
