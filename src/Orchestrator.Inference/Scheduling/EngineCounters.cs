using System.Collections.Immutable;

namespace Orchestrator.Inference.Scheduling;

/// <summary>Counts what is done, in all and by agent.</summary>
internal sealed class EngineCounters
{
    private readonly Dictionary<string, AgentStatistics> _agents = new(StringComparer.Ordinal);
    private long _computed;
    private long _reused;
    private long _generated;
    private long _forced;

    public long Steps { get; set; }

    public long Preemptions { get; set; }

    public long AdapterSwitches { get; set; }

    public void Computed(Work work, int tokens)
    {
        _computed += tokens;
        Count(work, a => a with { ComputedTokens = a.ComputedTokens + tokens });
    }

    public void Reused(Work work, int tokens)
    {
        _reused += tokens;
        Count(work, a => a with { ReusedTokens = a.ReusedTokens + tokens });
    }

    public void Generated(Work work, int tokens, int forced)
    {
        _generated += tokens;
        _forced += forced;
        Count(work, a => a with { GeneratedTokens = a.GeneratedTokens + tokens });
    }

    public EngineStatistics Snapshot() => new()
    {
        ComputedTokens = _computed,
        ReusedTokens = _reused,
        GeneratedTokens = _generated,
        ForcedTokens = _forced,
        Steps = Steps,
        Preemptions = Preemptions,
        AdapterSwitches = AdapterSwitches,
        Agents = _agents.ToImmutableDictionary(),
    };

    private void Count(Work work, Func<AgentStatistics, AgentStatistics> change)
    {
        if (work.Origin.Agent is { } agent)
        {
            _agents[agent] = change(_agents.GetValueOrDefault(agent) ?? new AgentStatistics());
        }
    }
}
