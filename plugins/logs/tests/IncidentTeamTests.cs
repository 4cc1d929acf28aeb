using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Agents;
using Orchestrator.Agents.Teams;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Plugins;
using Orchestrator.Runs.Journals;
using Orchestrator.Testing.Models;

namespace Orchestrator.Plugins.Logs.Tests;

/// <summary>The shipped team on the shipped sample, with a model that answers at once.</summary>
public sealed class IncidentTeamTests : IDisposable
{
    private readonly LogFolder _output = new();

    [Fact]
    public async Task Delivers_a_report_whose_citations_exist_whatever_the_model_says()
    {
        var (result, report) = await RunAsync("It was in checkout.log:999999, see payments.log:0.");
        Assert.Equal("completed", result.Reason);
        Assert.Equal("checkout", result.Decision!.Winner);
        Assert.Equal(4, result.Outcomes.Count(o => o.Succeeded));
        Assert.Contains("The incident began in checkout", report, StringComparison.Ordinal);
        Assert.Contains("db.pool.max 40 -> 4", report, StringComparison.Ordinal);
        Assert.True(Citations.In(report).Count >= 5, report);
        Assert.Empty(Citations.Problems(report, new LogReader(Path.Combine(Root(), "samples", "incident"))));
    }

    [Fact]
    public async Task Refuses_a_report_with_an_invented_citation()
    {
        // A citation that the template does not defuse.
        var (result, _) = await RunAsync("See checkout.txt:12.");
        Assert.Equal("failed", result.Reason);
        Assert.Contains("checkout.txt:12", result.Summary, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_output.Path, "report.md")));
    }

    private async Task<(TeamRunResult Result, string Report)> RunAsync(string text)
    {
        var root = Root();
        await using var services = new ServiceCollection().AddLogging()
            .AddOrchestratorAgents(o =>
            {
                o.PromptFolders.Add(Path.Combine(root, "prompts"));
                o.PluginFolders.Add(Path.Combine(root, "plugins"));
            })
            .AddOrchestratorCoordination().BuildServiceProvider();
        var client = new ScriptedChatClient(request =>
            request.Options?.ToolMode is RequiredChatToolMode { RequiredFunctionName: { } tool } ? ScriptedAnswer.Calls(tool)
            : request.Options?.ResponseFormat is ChatResponseFormatJson ? ScriptedAnswer.SaysJson(new { facts = new[] { new { source = "checkout.log:1", service = "checkout", finding = "pool", kind = "cause" } } })
            : ScriptedAnswer.Says(text))
        {
            ChoiceScorer = new ScriptedChoiceScorer(q => q.Options[0].Name),
        };
        var team = TeamLibrary.ReadFile(Path.Combine(root, "teams", "incident.yaml"));
        var result = await services.GetRequiredService<TeamRunner>().RunAsync(new TeamRun
        {
            Team = team,
            Task = "Find the root cause",
            Journal = new MemoryRunJournal("test", TimeProvider.System),
            OutputFolder = _output.Path,
            Assemble = async (journal, token) =>
            {
                var agents = await services.GetRequiredService<AgentFactory>().CreateAsync(team, client, new PluginContext { Root = root, OutputFolder = _output.Path }, journal, token);
                return new TeamMembers(agents.Agents, client, agents.Tools, agents);
            },
        });
        return (result, result.Deliverable is { } file ? await File.ReadAllTextAsync(file) : "");
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Orchestrator.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    public void Dispose() => _output.Dispose();
}
