using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Prompts;
using Orchestrator.Core.Runs;

namespace Orchestrator.Coordination.Planning;

/// <summary>
/// The model writes a task graph under a JSON schema. A plan that is not valid is written again with the reasons in
/// the prompt; what is still wrong then is mended by fixed rules, so that there is always a plan.
/// </summary>
public sealed class GraphPlanner : IPlanner
{
    private const string Planner = "planner";
    private readonly IChatClient _client;
    private readonly IPromptRenderer _prompts;
    private readonly IRunJournal _journal;
    private readonly string _prompt;
    private readonly int _attempts;

    /// <summary>Creates a planner for a run.</summary>
    /// <param name="client">The model.</param>
    /// <param name="prompts">Renders the planner's cue.</param>
    /// <param name="journal">Gets the plan, and those that were rejected.</param>
    /// <param name="prompt">
    /// The cue's template. Its variables: <c>task</c>, <c>members</c> (each with <c>name</c>, <c>role</c>,
    /// <c>description</c>, <c>capabilities</c>), <c>capabilities</c>, <c>max_tasks</c>, <c>problems</c> (what was
    /// wrong with the last plan).
    /// </param>
    /// <param name="attempts">How often the model may write a plan, at least 1.</param>
    public GraphPlanner(
        IChatClient client, IPromptRenderer prompts, IRunJournal journal, string prompt = Planner, int attempts = 2)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(journal);
        ArgumentException.ThrowIfNullOrEmpty(prompt);
        ArgumentOutOfRangeException.ThrowIfLessThan(attempts, 1);
        _client = client;
        _prompts = prompts;
        _journal = journal;
        _prompt = prompt;
        _attempts = attempts;
    }

    /// <inheritdoc/>
    public async Task<Plan> PlanAsync(PlanRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var capabilities = request.Capabilities;
        var schema = PlanSchema.Write(request.MaxTasks, capabilities);
        var best = new Plan(request.Goal, []);
        IReadOnlyList<string> problems = [];
        for (var attempt = 0; attempt < _attempts; attempt++)
        {
            var text = await WriteAsync(request, schema, capabilities, problems, attempt, cancellationToken)
                .ConfigureAwait(false);
            var (plan, reason) = PlanSchema.Read(text, request.Goal);
            problems = plan is null ? [reason!] : PlanValidator.Validate(plan, capabilities, request.MaxTasks);
            if (problems.Count == 0)
            {
                await _journal.AppendAsync(new PlanMade(plan!, []), cancellationToken).ConfigureAwait(false);
                return plan!;
            }

            best = plan ?? best;
            await _journal.AppendAsync(new PlanRejected(text, problems) { Agent = Planner }, cancellationToken)
                .ConfigureAwait(false);
        }

        var (mended, repairs) = PlanRepair.Mend(best, capabilities, request.MaxTasks);
        await _journal.AppendAsync(new PlanMade(mended, repairs), cancellationToken).ConfigureAwait(false);
        return mended;
    }

    private async Task<string> WriteAsync(
        PlanRequest request,
        System.Text.Json.JsonElement schema,
        IReadOnlyList<string> capabilities,
        IReadOnlyList<string> problems,
        int attempt,
        CancellationToken cancellationToken)
    {
        var cue = await _prompts.RenderAsync(
            _prompt,
            new Dictionary<string, object?>
            {
                ["task"] = request.Goal,
                ["members"] = request.Members.Select(PromptVariables.Of).ToArray(),
                ["capabilities"] = capabilities,
                ["max_tasks"] = request.MaxTasks,
                ["problems"] = problems,
            },
            cancellationToken).ConfigureAwait(false);
        var options = new ChatOptions
        {
            ResponseFormat = ChatResponseFormat.ForJsonSchema(schema, "plan"),
            MaxOutputTokens = PlanSchema.MaxTokens(request.MaxTasks),
            Temperature = 0,
            Seed = request.Seed + attempt,
        };
        var response = await _client.GetResponseAsync(
            request.Transcript.ToPrompt(Planner, cue),
            new ModelRequest { RunId = request.RunId, Agent = Planner }.ApplyTo(options),
            cancellationToken).ConfigureAwait(false);
        return response.Text;
    }
}
