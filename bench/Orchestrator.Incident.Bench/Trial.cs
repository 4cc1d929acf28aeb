using Incident.Generator;
using Orchestrator.Plugins.Logs;

namespace Orchestrator.Incident.Bench;

/// <summary>One incident, and who named what.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Kind">Its kind of fault.</param>
/// <param name="Service">The service that it began in.</param>
/// <param name="Services">How many it could have been.</param>
/// <param name="Tools">What the tools rank first.</param>
/// <param name="ToolsRank">The rank that the tools give the right one, from 1; 0 when they don't name it.</param>
internal sealed record Trial(int Seed, string Kind, string Service, int Services, string Tools, int ToolsRank)
{
    /// <summary>What the team decided for; null when it did not run.</summary>
    public string? Team { get; init; }

    /// <summary>The log prior of each option of the vote, in nats.</summary>
    public Dictionary<string, double>? LogPriors { get; init; }

    /// <summary>Each member's log-likelihood of its evidence under each option, in nats per token.</summary>
    public Dictionary<string, Dictionary<string, double>>? Votes { get; init; }

    /// <summary>How the team's run ended.</summary>
    public string? Reason { get; init; }

    /// <summary>Citations in its report.</summary>
    public int Citations { get; init; }

    /// <summary>Citations that name a line that does not exist or does not say what is quoted.</summary>
    public int Broken { get; init; }

    /// <summary>Wall time of the run in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Prompt tokens that were computed.</summary>
    public long Computed { get; init; }

    /// <summary>Prompt tokens whose KV cache was found.</summary>
    public long Reused { get; init; }

    /// <summary>Makes an incident in a folder and lets the tools rank its services.</summary>
    public static Trial Prepare(int seed, FaultKind kind, string folder)
    {
        var incident = IncidentFolder.Make(seed, kind);
        incident.Write(folder);
        var ranked = Suspect.Rank(LogIndex.Build(new LogReader(folder)));
        var rank = 1 + ranked.ToList().FindIndex(s => s.Service == incident.Truth.Service);
        return new Trial(seed, kind.Name, incident.Truth.Service, incident.Truth.Services.Count, ranked.Count == 0 ? "" : ranked[0].Service, rank);
    }
}
