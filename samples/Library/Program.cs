using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Agents;
using Orchestrator.Agents.Teams;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Plugins;
using Orchestrator.Inference.Hosting;
using Orchestrator.Runs;
using Orchestrator.Runs.Models;

// usage: dotnet run --project samples/Library -- REPOSITORY MODEL.gguf "TASK"
var (root, model, task) = (Path.GetFullPath(args[0]), Path.GetFullPath(args[1]), args[2]);
await using var services = new ServiceCollection()
    .AddOrchestratorInference(o => o.Model = model)
    .AddOrchestratorAgents(o => o.PromptFolders.Add(Path.Combine(root, "prompts")))
    .AddOrchestratorRuns(o => o.Root = Path.Combine(root, "runs"))
    .AddOrchestratorCoordination()
    .BuildServiceProvider();
var team = TeamLibrary.ReadFile(Path.Combine(root, "teams", "pair.yaml"));
var runs = services.GetRequiredService<RunStore>();
await using var journal = runs.Create();
var output = runs.GetOutputFolder(journal.RunId);
var result = await services.GetRequiredService<TeamRunner>().RunAsync(new TeamRun
{
    Team = team,
    Task = task,
    Journal = journal,
    OutputFolder = output,
    Assemble = async (record, cancellationToken) =>
    {
        var client = new JournalingChatClient(services.GetRequiredService<IChatClient>(), record);
        var agents = await services.GetRequiredService<AgentFactory>().CreateAsync(
            team, client, new PluginContext { Root = root, OutputFolder = output }, record, cancellationToken);
        return new TeamMembers(agents.Agents, client, agents.Tools, agents);
    },
});
Console.WriteLine($"{result.Reason}: {result.Summary}\n{journal.Path}");
