using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel;
using Orchestrator.Agents;
using Orchestrator.Coordination;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;

namespace Orchestrator.Bench;

/// <summary>
/// A whole run of a team over a model that knows nothing: every kind of message that a program reads occurs in it, a
/// plan, tool calls, facts and decisions.
/// </summary>
internal static class RandomRun
{
    private static readonly string[] Names = ["ann", "bob", "cid"];

    /// <summary>Runs the team once.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="prompts">The shipped prompts.</param>
    /// <param name="folder">Gets the run's output.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <returns>How it ended, its events, and how many machine-read messages there were and did not parse.</returns>
    internal static async Task<Outcome> RunAsync(
        IChatClient model, IPromptRenderer prompts, string folder, ulong seed, CancellationToken cancellationToken = default)
    {
        await using var journal = new MemoryRunJournal($"random-{seed}", TimeProvider.System);
        var checking = new Checking(model);
        var runner = new TeamRunner(
            prompts,
            Options.Create(new CoordinationOptions { CancellationGrace = TimeSpan.Zero }),
            TimeProvider.System,
            NullLogger<TeamRunner>.Instance);
        var result = await runner.RunAsync(
            new TeamRun
            {
                Team = Team(),
                Task = "Find out why the shop is slow.",
                Journal = journal,
                OutputFolder = folder,
                Seed = seed,
                Assemble = (runJournal, _) =>
                {
                    var client = new JournalingChatClient(checking, runJournal);
                    return ValueTask.FromResult(new TeamMembers([.. Team().Members.Select(m => Member(m, client))], client));
                },
            },
            cancellationToken);
        return new Outcome(result, journal.Events, checking.Messages, checking.Unparsed);
    }

    private static TeamDefinition Team() => new()
    {
        Name = "random",
        Description = "A team whose model knows nothing.",
        Members = [.. Names.Select(n => new MemberDefinition { Name = n, Role = $"{n}, an analyst", Description = $"Reads the logs of {n}.", Capabilities = [n] })],
        Planner = new PlannerDefinition { MaxTasks = 3 },
        Protocol = new ProtocolDefinition
        {
            MaxRounds = 2,
            Decision = new DecisionDefinition
            {
                Question = "What is slow?",
                Options = [new OptionDefinition { Name = "db", Description = "The database." }, new OptionDefinition { Name = "web", Description = "The web server." }],
            },
        },
        Budget = new BudgetDefinition { MaxTokensPerTurn = 48, MaxTokens = 1_000_000 },
        Facts = new FactsDefinition
        {
            Schema = JsonDocument.Parse("""
                {"type":"object","properties":{"service":{"enum":["db","web"]},"line":{"type":"integer","minimum":1,"maximum":99}},
                 "required":["service","line"],"additionalProperties":false}
                """).RootElement,
            MaxFacts = 1,
        },
        Deliverable = new DeliverableDefinition { Narrative = "narrative" },
    };

    private static Agent Member(MemberDefinition member, IChatClient client)
    {
        var kernel = Kernel.CreateBuilder().Build();
        kernel.Plugins.Add(KernelPluginFactory.CreateFromFunctions("logs", [KernelFunctionFactory.CreateFromMethod(Count, "count")]));
        return new Agent(
            new AgentCard(member.Name, member.Role, member.Description, member.Capabilities, ["logs-count"]),
            client,
            kernel,
            new AgentSettings { Temperature = 1 });
    }

    [Description("Counts the lines of a service's log.")]
    private static int Count([Description("db or web")] string service) => service.Length;

    /// <summary>What came of a run.</summary>
    internal sealed record Outcome(TeamRunResult Result, IReadOnlyList<RunEvent> Events, int Messages, IReadOnlyList<string> Unparsed);

    /// <summary>Reads each message that a program is to read.</summary>
    private sealed class Checking(IChatClient inner) : DelegatingChatClient(inner)
    {
        private readonly List<string> _unparsed = [];
        private int _messages;

        internal int Messages => _messages;

        internal IReadOnlyList<string> Unparsed => _unparsed;

        public override async Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var response = await base.GetResponseAsync(messages, options, cancellationToken);
            if (options?.ResponseFormat is ChatResponseFormatJson { Schema: not null })
            {
                Check(() => JsonDocument.Parse(response.Text).Dispose(), response.Text);
            }

            foreach (var call in response.Messages.SelectMany(m => m.Contents).OfType<Microsoft.Extensions.AI.FunctionCallContent>())
            {
                Check(
                    () =>
                    {
                        if (call.Exception is not null || call.Arguments?.ContainsKey("service") != true)
                        {
                            throw new JsonException();
                        }
                    },
                    $"{call.Name}({JsonSerializer.Serialize(call.Arguments)})");
            }

            return response;
        }

        private void Check(Action parse, string text)
        {
            lock (_unparsed)
            {
                _messages++;
                try
                {
                    parse();
                }
                catch (JsonException)
                {
                    _unparsed.Add(text);
                }
            }
        }
    }
}
