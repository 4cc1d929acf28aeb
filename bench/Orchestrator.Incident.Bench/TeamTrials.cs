using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Agents;
using Orchestrator.Agents.Teams;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Plugins;
using Orchestrator.Inference.Hosting;
using Orchestrator.Plugins.Logs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;

namespace Orchestrator.Incident.Bench;

/// <summary>Lets the shipped incident team investigate, on one loaded model.</summary>
internal sealed class TeamTrials : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly LoadedModel _model;
    private readonly string _root;

    private TeamTrials(ServiceProvider services, LoadedModel model, string root)
    {
        _services = services;
        _model = model;
        _root = root;
    }

    public static async Task<TeamTrials> StartAsync(string model, int? threads, string root, CancellationToken cancellation)
    {
        var services = new ServiceCollection()
            .AddLogging(l => l.SetMinimumLevel(LogLevel.Warning))
            .AddOrchestratorInference(o =>
            {
                o.Model = Path.GetFullPath(model);
                o.Threads = threads ?? o.Threads;
            })
            .AddOrchestratorAgents(o =>
            {
                o.PromptFolders.Add(Path.Combine(root, "prompts"));
                o.PluginFolders.Add(Path.Combine(root, "plugins"));
            })
            .AddOrchestratorCoordination()
            .BuildServiceProvider();
        return new TeamTrials(services, await services.GetRequiredService<ModelHost>().LoadAsync(model, null, cancellation), root);
    }

    public async Task<Trial> RunAsync(Trial trial, string logs, string output, ulong seed, CancellationToken cancellation)
    {
        var team = TeamLibrary.ReadFile(Path.Combine(_root, "teams", "incident.yaml"));
        team = team with { Inputs = new Dictionary<string, string> { ["logs"] = logs } };
        var journal = new MemoryRunJournal($"incident-{trial.Seed}", TimeProvider.System);
        var watch = Stopwatch.StartNew();
        var result = await _services.GetRequiredService<TeamRunner>().RunAsync(
            new TeamRun
            {
                Team = team,
                Task = "Find the root cause",
                Journal = journal,
                OutputFolder = output,
                Seed = seed,
                Assemble = async (runJournal, token) =>
                {
                    var client = new JournalingChatClient(_model.Chat, runJournal);
                    var context = new PluginContext { Root = _root, OutputFolder = output };
                    var agents = await _services.GetRequiredService<AgentFactory>().CreateAsync(team, client, context, runJournal, token);
                    return new TeamMembers(agents.Agents, client, agents.Tools, agents);
                },
            },
            cancellation);
        var report = result.Deliverable is { } file ? await File.ReadAllTextAsync(file, cancellation) : "";
        return trial with
        {
            Team = result.Decision?.Winner,
            LogPriors = Suspect.Rank(LogIndex.Build(new LogReader(logs), cancellation)).ToDictionary(s => s.Service, s => Math.Log(Math.Max(1e-3, s.Score))),
            Votes = result.Decision?.Ballots.ToDictionary(b => b.Voter, b => b.Result.Scores.ToDictionary(s => s.Choice.Name, s => s.LogLikelihood / Math.Max(1, b.Result.EvidenceTokens))),
            Reason = result.Reason == "completed" ? result.Reason : $"{result.Reason}: {result.Summary}",
            Citations = Citations.In(report).Count,
            Broken = report.Length == 0 ? 0 : Citations.Problems(report, new LogReader(logs)).Count,
            Seconds = watch.Elapsed.TotalSeconds,
            Computed = result.Usage.ComputedTokens,
            Reused = result.Usage.ReusedTokens,
        };
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
