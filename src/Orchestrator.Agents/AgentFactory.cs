using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Prompts;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Agents;
using Orchestrator.Core.Models;
using Orchestrator.Core.Plugins;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents;

/// <summary>Turns a team's definition into agents.</summary>
/// <param name="plugins">The plugins that members may name.</param>
/// <param name="prompts">The prompts that members may name.</param>
/// <param name="approver">Asks a person to approve side effects.</param>
/// <param name="options">How agents work.</param>
/// <param name="redactor">Takes secrets out of what is recorded.</param>
/// <param name="loggerFactory">Where tool calls are logged, or null.</param>
public sealed class AgentFactory(
    PluginCatalogue plugins,
    PromptLibrary prompts,
    IApprover approver,
    IOptions<AgentsOptions> options,
    SecretRedactor redactor,
    ILoggerFactory? loggerFactory = null)
{
    /// <summary>Makes the members of a team for one run; opens the plugins that the team names.</summary>
    /// <param name="team">The team.</param>
    /// <param name="client">The model; a run's journal is beneath it already.</param>
    /// <param name="context">Where the plugins work; the team's inputs are added to those given.</param>
    /// <param name="journal">The run's journal, for tool calls and approvals; null for none.</param>
    /// <param name="cancellationToken">Stops the opening of plugins.</param>
    /// <returns>The members; disposing closes their plugins.</returns>
    /// <exception cref="OrchestratorException">A plugin, function or prompt is unknown or broken.</exception>
    public async Task<AgentTeam> CreateAsync(
        TeamDefinition team,
        IChatClient client,
        PluginContext context,
        IRunJournal? journal = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(context);
        context = context with { Inputs = Merge(team.Inputs, context.Inputs) };
        var set = await plugins.OpenAsync(ToolsNamed(team).Select(PluginOf), context, cancellationToken).ConfigureAwait(false);
        try
        {
            return Create(team, client, context, journal, set);
        }
        catch
        {
            await set.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Looks for what is wrong with a team beyond its file: unknown plugins, functions, prompts and their variables.</summary>
    /// <param name="team">The team.</param>
    /// <param name="context">Where the plugins work.</param>
    /// <param name="cancellationToken">Stops the check.</param>
    /// <returns>When all is well.</returns>
    /// <exception cref="OrchestratorException">Something is wrong.</exception>
    public async Task ValidateAsync(TeamDefinition team, PluginContext context, CancellationToken cancellationToken = default)
    {
        await using var agents = await CreateAsync(team, NoModel.Instance, context, null, cancellationToken).ConfigureAwait(false);
    }

    private AgentTeam Create(
        TeamDefinition team, IChatClient client, PluginContext context, IRunJournal? journal, PluginSet set)
    {
        var approvals = new Approvals(approver);
        var cards = team.Members.Select(m => Card(team, m, set)).ToList();

        // In the order of the plugins, so that the list is the same for all and doesn't move when a member is added.
        var used = cards.SelectMany(c => c.Tools).ToHashSet(StringComparer.Ordinal);
        var everything = Kernel("team", set.Plugins, set, approvals, context, journal, client);
        AITool[] union = [.. everything.Plugins.SelectMany(p => p)
            .Select(f => new KernelTool(f, everything))
            .Where(t => used.Contains(t.Name))
            .Select(t => t.AsDeclarationOnly())];
        var agents = team.Members.Zip(cards, (member, card) =>
        {
            var names = card.Tools.Select(PluginOf).ToHashSet(StringComparer.Ordinal);
            var kernel = Kernel(member.Name, set.Plugins.Where(p => names.Contains(p.Name)), set, approvals, context, journal, client);
            return new Agent(card, client, kernel, new AgentSettings
            {
                TeamTools = union,
                Adapters = member.Adapter is { } adapter ? AdapterUse.Parse(adapter) : null,
                Temperature = member.Temperature,
                ToolChoice = options.Value.ToolChoice,
                Notes = Notes(member),
                LoggerFactory = loggerFactory,
            });
        }).ToList();
        return new AgentTeam(agents, new KernelToolInvoker(everything), set, approvals, journal);
    }

    private AgentCard Card(TeamDefinition team, MemberDefinition member, PluginSet set) => new(
        member.Name,
        member.Role,
        member.Description,
        member.Capabilities,
        [.. member.Plugins.SelectMany(p => Expand(team, member, p, set)).Distinct(StringComparer.Ordinal)]);

    private static IEnumerable<string> Expand(TeamDefinition team, MemberDefinition member, string name, PluginSet set)
    {
        if (!name.Contains('-', StringComparison.Ordinal))
        {
            return set.Tools.Where(t => PluginOf(t) == name);
        }

        return set.Tools.Contains(name) ? [name] : throw new OrchestratorException(
            ErrorKind.Configuration,
            Spelling.Sentence($"{team.SourcePath ?? team.Name}: the member '{member.Name}' names the function '{name}', which its plugin doesn't have{Spelling.Hint(name, [.. set.Tools.Where(t => PluginOf(t) == PluginOf(name))])}"),
            "Correct the member's plugins.");
    }

    private Kernel Kernel(
        string agent,
        IEnumerable<KernelPlugin> kernelPlugins,
        PluginSet set,
        Approvals approvals,
        PluginContext context,
        IRunJournal? journal,
        IChatClient client)
    {
        var builder = Microsoft.SemanticKernel.Kernel.CreateBuilder();

        // Prompts that are plugins ask the model too, in the agent's name.
        builder.Services.AddSingleton<IChatClient>(new AgentChatClient(client, agent));
        builder.Services.AddSingleton(loggerFactory ?? NullLoggerFactory.Instance);
        var kernel = builder.Build();
        kernel.Plugins.AddRange(kernelPlugins);
        kernel.FunctionInvocationFilters.Add(
            new ToolJournalFilter(agent, journal, context.TimeProvider, redactor, options.Value.MaxToolResultLength));
        kernel.FunctionInvocationFilters.Add(new ApprovalFilter(agent, set.PolicyOf, approvals, journal, redactor));
        kernel.FunctionInvocationFilters.Add(new DeadlineFilter(set.PolicyOf, context.TimeProvider));
        return kernel;
    }

    private Func<CancellationToken, Task<string>>? Notes(MemberDefinition member)
    {
        if (member.Prompt is not { } name)
        {
            return null;
        }

        // Asked for by name at each turn, so that an edit takes effect while the run goes on; checked now, so that a
        // mistake is found before it begins.
        Dictionary<string, object?> Values() => new Dictionary<string, object?>
        {
            ["name"] = member.Name,
            ["role"] = member.Role,
            ["description"] = member.Description,
            ["capabilities"] = member.Capabilities,
        }
            .Where(v => prompts.Get(name).Variables.Any(x => x.Name == v.Key))
            .ToDictionary(v => v.Key, v => v.Value);

        prompts.Get(name).Check(Values());
        return cancellationToken => ((IPromptRenderer)prompts).RenderAsync(name, Values(), cancellationToken);
    }

    /// <summary>All tools and plugins that a team's file names.</summary>
    private static IEnumerable<string> ToolsNamed(TeamDefinition team) => team.Members
        .SelectMany(m => m.Plugins)
        .Append(team.Protocol.Decision?.OptionsFrom)
        .Append(team.Deliverable?.Evidence)
        .Append(team.Deliverable?.Check)
        .OfType<string>();

    private static string PluginOf(string tool) => tool.Split('-')[0];

    private static Dictionary<string, string> Merge(
        IReadOnlyDictionary<string, string> team, IReadOnlyDictionary<string, string> given)
    {
        var merged = team.ToDictionary(i => i.Key, i => i.Value);
        foreach (var (name, value) in given)
        {
            merged[name] = value;
        }

        return merged;
    }

    /// <summary>Stands in where a team is only looked at.</summary>
    private sealed class NoModel : IChatClient
    {
        public static NoModel Instance { get; } = new();

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("A team that is only looked at asks no model.");

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("A team that is only looked at asks no model.");

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
