using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Scheduling;

/// <summary>An engine's statistics as figures with names, for those who don't know the engine.</summary>
internal sealed class EngineFigures(IInferenceEngine engine) : IModelStatistics
{
    public IReadOnlyList<ModelStatistic> Read()
    {
        var now = engine.GetStatistics();
        KeyValuePair<string, string> model = new("model", engine.Model.Name);
        var figures = new List<ModelStatistic>
        {
            Counter("prompt_tokens_computed_total", "Prompt and scored tokens computed.", now.ComputedTokens),
            Counter("prompt_tokens_reused_total", "Prompt and scored tokens found in the KV cache.", now.ReusedTokens),
            Counter("generated_tokens_total", "Tokens generated, forced ones included.", now.GeneratedTokens),
            Counter("forced_tokens_total", "Generated tokens that a constraint forced.", now.ForcedTokens),
            Counter("kv_evicted_tokens_total", "Cells evicted from the KV cache.", now.EvictedTokens),
            Counter("kv_restored_tokens_total", "Cells read back from memory or disk.", now.RestoredTokens),
            Counter("kv_disk_restored_tokens_total", "Cells read back from disk.", now.DiskRestoredTokens),
            Gauge("kv_disk_bytes", "Bytes of saved sequences on disk.", now.DiskBytes),
            Counter("steps_total", "Batches computed.", now.Steps),
            Counter("preemptions_total", "Times that a request gave way because the cache was full.", now.Preemptions),
            Counter("adapter_switches_total", "Times that the adapters changed.", now.AdapterSwitches),
            Gauge("adapters_loaded", "Adapters in memory.", now.AdaptersLoaded),
            Gauge("kv_cells_used", "Cells of the KV cache in use.", now.CellsUsed),
            Gauge("kv_cells", "Cells of the KV cache.", now.CellsTotal),
            Gauge("requests_active", "Requests being served.", now.ActiveRequests),
            Gauge("requests_queued", "Requests waiting.", now.QueuedRequests),
        };

        var agents = now.Agents.OrderBy(a => a.Key, StringComparer.Ordinal).ToList();
        ByAgent("agent_prompt_tokens_computed_total", "Prompt and scored tokens computed, by agent.", a => a.ComputedTokens);
        ByAgent("agent_prompt_tokens_reused_total", "Prompt and scored tokens found in the KV cache, by agent.", a => a.ReusedTokens);
        ByAgent("agent_generated_tokens_total", "Tokens generated, by agent.", a => a.GeneratedTokens);
        ByAgent("agent_kv_evicted_tokens_total", "Cells evicted, by the agent that worked on them last.", a => a.EvictedTokens);
        return figures;

        ModelStatistic Counter(string name, string description, double value) => new(name, description, value, IsCounter: true, [model]);

        ModelStatistic Gauge(string name, string description, double value) => new(name, description, value, IsCounter: false, [model]);

        void ByAgent(string name, string description, Func<AgentStatistics, long> value) => figures.AddRange(
            agents.Select(a => new ModelStatistic(name, description, value(a.Value), IsCounter: true, [model, new("agent", a.Key)])));
    }
}
