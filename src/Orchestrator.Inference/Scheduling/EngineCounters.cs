using System.Collections.Immutable;

namespace Orchestrator.Inference.Scheduling;

/// <summary>Counts what is done, in all and by agent.</summary>
internal sealed class EngineCounters
{
    /// <summary>Agents that are told apart; names come from outside, so there must be an end.</summary>
    public const int MostAgents = 100;

    /// <summary>The name under which all further agents are counted together.</summary>
    public const string OtherAgents = "(others)";

    private readonly Dictionary<string, AgentStatistics> _agents = new(StringComparer.Ordinal);
    private long _computed;
    private long _reused;
    private long _generated;
    private long _forced;
    private long _drafted;
    private long _accepted;

    public long Steps { get; set; }

    public long Preemptions { get; set; }

    public long AdapterSwitches { get; set; }

    public void Computed(Work work, int tokens)
    {
        _computed += tokens;
        Count(work.Origin.Agent, a => a with { ComputedTokens = a.ComputedTokens + tokens });
    }

    public void Reused(Work work, int tokens)
    {
        _reused += tokens;
        Count(work.Origin.Agent, a => a with { ReusedTokens = a.ReusedTokens + tokens });
    }

    public void Generated(Work work, int tokens, int forced)
    {
        _generated += tokens;
        _forced += forced;
        Count(work.Origin.Agent, a => a with { GeneratedTokens = a.GeneratedTokens + tokens });
    }

    public void Evicted(string? agent, int tokens) =>
        Count(agent, a => a with { EvictedTokens = a.EvictedTokens + tokens });

    public void Drafted(int tokens, int accepted)
    {
        _drafted += tokens;
        _accepted += accepted;
    }

    public EngineStatistics Snapshot() => new()
    {
        ComputedTokens = _computed,
        ReusedTokens = _reused,
        GeneratedTokens = _generated,
        ForcedTokens = _forced,
        DraftedTokens = _drafted,
        DraftTokens = _accepted,
        Steps = Steps,
        Preemptions = Preemptions,
        AdapterSwitches = AdapterSwitches,
        Agents = _agents.ToImmutableDictionary(),
    };

    private void Count(string? agent, Func<AgentStatistics, AgentStatistics> change)
    {
        if (agent is null)
        {
            return;
        }

        if (!_agents.ContainsKey(agent) && _agents.Count >= MostAgents)
        {
            agent = OtherAgents;
        }

        _agents[agent] = change(_agents.GetValueOrDefault(agent) ?? new AgentStatistics());
    }
}
