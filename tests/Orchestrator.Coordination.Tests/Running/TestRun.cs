using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orchestrator.Agents.Prompts;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Running;

/// <summary>A team of ann, bob and cid with a fixed plan; tests change what they are about.</summary>
internal sealed class TestRun : IAsyncDisposable
{
    private readonly PromptLibrary _prompts = TestPrompts.Shipped();
    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-run-").FullName;

    internal TestRun()
    {
        Agents = ["ann", "bob", "cid"];
        Says = (name, turn) => $"{name} speaks at {turn.Transcript.Count}";
    }

    internal string[] Agents { get; }

    internal Func<string, AgentTurn, string> Says { get; init; }

    internal Func<string, AgentTurn, CancellationToken, Task<AgentReply>>? Takes { get; init; }

    internal IChatClient? Client { get; init; }

    internal Func<ChoiceQuestion, string> Chooses { get; init; } = q => q.Options[0].Name;

    internal Func<string, JsonElement, string>? Tool { get; init; }

    internal CoordinationOptions Options { get; init; } = new() { CancellationGrace = TimeSpan.Zero };

    internal TeamDefinition Team { get; set; } = new()
    {
        Name = "test",
        Description = "A team for tests.",
        Members = [.. new[] { "ann", "bob", "cid" }.Select(n => new MemberDefinition { Name = n, Role = "r", Description = "d", Capabilities = [n] })],
        Planner = new PlannerDefinition
        {
            Kind = "fixed",
            Tasks =
            [
                new TaskDefinition { Id = "look", Description = "Look.", Capability = "ann" },
                new TaskDefinition { Id = "count", Description = "Count.", Capability = "bob" },
                new TaskDefinition { Id = "tell", Description = "Tell.", Needs = ["look", "count"], Capability = "cid" },
            ],
        },
        Protocol = new ProtocolDefinition { Kind = "roundRobin", MaxRounds = 1 },
    };

    internal MemoryRunJournal Journal { get; } = new("r1", TimeProvider.System);

    internal bool PlanOnly { get; init; }

    internal bool Disposed { get; private set; }

    internal Dictionary<string, ScriptedAgent> Members { get; } = [];

    internal string OutputFolder => Path.Combine(_folder, "output");

    internal IReadOnlyList<RunEvent> Events => Journal.Events;

    internal IEnumerable<T> Of<T>() => Events.OfType<T>();

    internal async Task<TeamRunResult> RunAsync(CancellationToken cancellationToken = default)
    {
        var runner = new TeamRunner(
            _prompts, Microsoft.Extensions.Options.Options.Create(Options), TimeProvider.System, NullLogger<TeamRunner>.Instance);
        return await runner.RunAsync(
            new TeamRun
            {
                Team = Team,
                Task = "Find the cause",
                Journal = Journal,
                Assemble = Assemble,
                OutputFolder = OutputFolder,
                Seed = 7,
                PlanOnly = PlanOnly,
            },
            cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _prompts.Dispose();
        Directory.Delete(_folder, recursive: true);
        return Journal.DisposeAsync();
    }

    private ValueTask<TeamMembers> Assemble(IRunJournal journal, CancellationToken cancellationToken)
    {
        var client = new JournalingChatClient(
            Client ?? new ScriptedChatClient(_ => throw new InvalidOperationException("no model")) { ChoiceScorer = new ScriptedChoiceScorer(Chooses) },
            journal);
        foreach (var (name, member) in Agents.Zip(Team.Members))
        {
            Members[name] = new ScriptedAgent(
                name,
                async (turn, token) =>
                {
                    var reply = Takes is null ? new AgentReply(Says(name, turn)) : await Takes(name, turn, token);
                    if (turn.Schema is not null && reply.Content is null)
                    {
                        reply = reply with { Content = JsonDocument.Parse(reply.Text).RootElement };
                    }

                    foreach (var result in reply.ToolResults ?? [])
                    {
                        await journal.AppendAsync(new ToolCalled("c", result.Tool, result.Arguments) { Agent = name }, token);
                    }

                    await journal.AppendAsync(
                        new ModelCalled(reply.Text, new ModelCall { ComputedTokens = 10, TokenIds = [1, 2] }) { Agent = name },
                        CancellationToken.None);
                    return reply;
                })
            {
                Card = new AgentCard(name, member.Role, member.Description, member.Capabilities, []),
            };
        }

        return ValueTask.FromResult(new TeamMembers(
            [.. Members.Values], client, Tool is null ? null : new Invoker(Tool), new OnDispose(() => Disposed = true)));
    }

    private sealed class Invoker(Func<string, JsonElement, string> tool) : IToolInvoker
    {
        public Task<ToolResult> InvokeAsync(string name, JsonElement arguments, CancellationToken cancellationToken = default)
        {
            try
            {
                return Task.FromResult(new ToolResult(name, arguments, tool(name, arguments)));
            }
            catch (InvalidOperationException e)
            {
                return Task.FromResult(new ToolResult(name, arguments, e.Message, true));
            }
        }
    }

    private sealed class OnDispose(Action action) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            action();
            return ValueTask.CompletedTask;
        }
    }
}
