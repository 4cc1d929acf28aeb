using System.Globalization;
using System.Text;
using System.Text.Json;
using Orchestrator.Console.Terminal;
using Orchestrator.Coordination.Running;
using Orchestrator.Core.Models;
using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Spectre.Console;

namespace Orchestrator.Console.Runs;

/// <summary>Shows a run to a person: lanes, the plan with ticks, choices, tools, and a footer of what it costs.</summary>
internal sealed class RunView(IInteraction interaction) : IRunObserver, IProgress<TurnProgress>
{
    private const int TaskCharacters = 500;

    private readonly Lock _gate = new();
    private readonly RunCosts _costs = new();
    private readonly Dictionary<string, StringBuilder> _streamed = [];
    private readonly HashSet<(string Agent, string Text)> _said = [];
    private LaneWriter _lanes = new(interaction, []);
    private HashSet<string> _members = [];
    private Plan? _plan;

    /// <summary>Whether the error that ends a run is reported elsewhere, with its remedy.</summary>
    public bool ErrorsAreReported { get; init; }

    /// <summary>Shows a piece of an answer as it is made.</summary>
    public void Report(TurnProgress value)
    {
        lock (_gate)
        {
            if (!_streamed.TryGetValue(value.Agent, out var shown))
            {
                _streamed[value.Agent] = shown = new StringBuilder();
            }

            shown.Append(value.Text);
            _lanes.Append(value.Agent, value.Text);
        }
    }

    /// <summary>Shows an event.</summary>
    public void OnEvent(RunEvent runEvent)
    {
        lock (_gate)
        {
            Show(runEvent);
        }
    }

    private void Show(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunStarted started:
                _members = [.. started.Members];
                _lanes = new LaneWriter(interaction, started.Members);
                interaction.MarkupLine($"[bold]{started.Team}[/] [grey]· {started.Model ?? "model"} · seed {started.Seed} · run {started.RunId}[/]");
                interaction.MarkupLine($"[grey]task:[/] {TaskText.Beginning(started.Task, TaskCharacters)}");
                interaction.WriteLine();
                break;
            case PlanRejected rejected:
                interaction.MarkupLine($"[yellow]The plan was not valid:[/] {string.Join("; ", rejected.Reasons)}");
                break;
            case PlanMade made:
                _plan = made.Plan;
                ShowPlan(made);
                break;
            case TaskAllocated { Assignment: var assignment }:
                interaction.MarkupLine($"  [grey]{assignment.TaskId} →[/] {assignment.Agent} [grey](p {assignment.Probability:0.00}, margin {assignment.Margin:0.00})[/]");
                break;
            case TaskStarted { Agent: { } agent } task:
                _lanes.Remark(agent, $"begins {task.TaskId}: {Describe(task.TaskId)}");
                break;
            case TaskFinished { Outcome: var outcome }:
                ShowOutcome(outcome);
                break;
            case RoundStarted round:
                _lanes.Break();
                interaction.WriteLine();
                interaction.MarkupLine($"[bold]Round {round.Round} of {round.MaxRounds}[/]");
                break;
            case ToolCalled { Agent: { } agent } call:
                _lanes.Remark(agent, $"⚙ {call.Tool}({Short(call.Arguments)})");
                break;
            case ToolReturned { Agent: { } agent } result:
                _lanes.Remark(agent, $"{(result.Failed ? "✗" : "→")} {FirstLine(result.Result)} ({result.Duration.TotalSeconds:0.0} s)");
                break;
            case ApprovalGiven approval:
                _lanes.Break();
                interaction.MarkupLine($"[yellow]approval[/] {approval.Tool}: {approval.Decision}");
                break;
            case ChoiceMade choice:
                ShowChoice(choice);
                break;
            case ModelCalled { Call: { } call } called:
                _costs.Add(call);
                Footer(called.Agent, call);
                break;
            case MessagePosted { Message: var message }:
                ShowMessage(message.From, message.Text);
                break;
            case DeliverableWritten written:
                interaction.WriteLine();
                interaction.MarkupLine($"[green]✓[/] wrote [bold]{written.Path}[/]");
                break;
            // What ends the run is told at its end.
            case RunFailed { Fatal: false } failed:
                _lanes.Break();
                interaction.MarkupLine($"[red]trouble:[/] {(failed.Agent is { } troubled ? $"{troubled}: " : "")}{failed.Message}");
                break;
            case RunFinished finished:
                ShowEnd(finished);
                break;
        }
    }

    private void ShowPlan(PlanMade made)
    {
        interaction.MarkupLine($"[bold]Plan[/]");
        foreach (var task in made.Plan.Tasks)
        {
            var needs = task.Needs.Count > 0 ? $" after {string.Join(", ", task.Needs)}" : "";
            interaction.MarkupLine($"  ○ {task.Id}  {Hang(task.Description + needs, task.Id.Length + 6)}");
        }

        foreach (var repair in made.Repairs)
        {
            interaction.MarkupLine($"  [yellow]mended:[/] {repair}");
        }
    }

    private void ShowOutcome(TaskOutcome outcome)
    {
        _lanes.End(outcome.Agent);
        _lanes.Break();
        if (outcome.Succeeded)
        {
            interaction.MarkupLine($"  [green]✓[/] {outcome.TaskId}  {Hang(Describe(outcome.TaskId), outcome.TaskId.Length + 6)}");
        }
        else
        {
            interaction.MarkupLine($"  [red]✗[/] {outcome.TaskId}  {outcome.Result}");
        }
    }

    private void ShowChoice(ChoiceMade choice)
    {
        var top = choice.Scores.OrderByDescending(s => s.Probability).Take(4).ToArray();
        var shown = string.Join("  ", top.Select(s =>
            string.Create(CultureInfo.InvariantCulture, $"{s.Choice.Name} {s.Probability:0.00}")));
        var more = choice.Scores.Count > top.Length ? $"  +{choice.Scores.Count - top.Length}" : "";
        if (choice.Agent is { } agent)
        {
            _lanes.Remark(agent, $"◇ {shown}{more}");
        }
        else
        {
            _lanes.Break();
            interaction.MarkupLine($"[grey]◇ {shown}{more}[/]");
        }
    }

    // What was streamed is not shown again when it is posted; what tools gave is already shown in a line.
    private void ShowMessage(string from, string text)
    {
        if (!_members.Contains(from) && from != "vote")
        {
            return;
        }

        EndAnswer(from);
        if (_said.FirstOrDefault(said => said.Agent == from && text.EndsWith(said.Text, StringComparison.Ordinal)) is { Text.Length: > 0 } shown)
        {
            _said.Remove(shown);
            return;
        }

        _lanes.Append(from, text);
        _lanes.End(from);
    }

    private void EndAnswer(string agent)
    {
        _lanes.End(agent);
        if (_streamed.Remove(agent, out var streamed) && streamed.ToString().Trim() is { Length: > 0 } text)
        {
            _said.Add((agent, text));
        }
    }

    private void Footer(string? agent, ModelCall call)
    {
        if (agent is null || call.TokenIds.Count == 0)
        {
            return;
        }

        EndAnswer(agent);
        var reused = call.ReusedShare is { } share ? string.Create(CultureInfo.InvariantCulture, $"KV reused {100 * share:0} %") : "no prompt read";
        _lanes.Remark(agent, string.Create(
            CultureInfo.InvariantCulture,
            $"{call.TokenIds.Count} tokens · {(RunCosts.Rate(call) is { } rate ? $"{rate:0} tokens/s" : "mostly forced")} · first {call.FirstToken.TotalSeconds:0.00} s · context {call.PromptTokens + call.TokenIds.Count} · {reused}"));
    }

    private void ShowEnd(RunFinished finished)
    {
        _lanes.Break();
        interaction.WriteLine();
        var told = ErrorsAreReported && finished.Reason is ("failed" or "budget");
        var colour = finished.Reason == "completed" ? "green" : "yellow";
        interaction.MarkupLine(System.Runtime.CompilerServices.FormattableStringFactory.Create(
            $"[{colour}]{{0}}[/]{{1}}", finished.Reason, told ? "" : $" {finished.Summary}"));
        var usage = finished.Usage;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");
        table.AddRow("wall time", $"{usage.Duration.TotalSeconds:0.0} s");
        table.AddRow("model calls, choices, tools", $"{usage.ModelCalls}, {usage.Choices}, {usage.ToolCalls}");
        table.AddRow("prompt tokens computed / reused", $"{usage.ComputedTokens:N0} / {usage.ReusedTokens:N0}");
        table.AddRow("tokens generated", $"{usage.GeneratedTokens:N0}");
        if (_costs.TokensPerSecond is { } rate)
        {
            table.AddRow("tokens/s in a call, median", $"{rate:0.0}");
            table.AddRow("first token, median", $"{_costs.FirstToken!.Value.TotalSeconds:0.00} s");
        }

        interaction.Render(table);
    }

    // Where no terminal reads them, lines stay whole.
    private string Hang(string text, int indent) => interaction.Live ? WordWrap.Hang(text, interaction.Width, indent) : text;

    private string Describe(string taskId) => _plan?.Tasks.FirstOrDefault(t => t.Id == taskId)?.Description ?? "";

    private static string Short(JsonElement arguments) =>
        arguments.ValueKind == JsonValueKind.Object
            ? string.Join(", ", arguments.EnumerateObject().Select(p => $"{p.Name}={p.Value}"))
            : arguments.ToString();

    private static string FirstLine(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "an empty result" : lines.Length == 1 ? lines[0] : $"{lines[0]} … {lines.Length} lines";
    }

    /// <summary>Medians over the run's calls.</summary>
    private sealed class RunCosts
    {
        private const int LeastTold = 8;

        private readonly List<double> _rates = [];
        private readonly List<TimeSpan> _firstTokens = [];

        public double? TokensPerSecond => _rates.Count == 0 ? null : _rates.Order().ElementAt(_rates.Count / 2);

        public TimeSpan? FirstToken => _firstTokens.Count == 0 ? null : _firstTokens.Order().ElementAt(_firstTokens.Count / 2);

        public void Add(ModelCall call)
        {
            if (Rate(call) is { } rate)
            {
                _rates.Add(rate);
                _firstTokens.Add(call.FirstToken);
            }
        }

        /// <summary>
        /// Tokens a second after the first. Those that a constraint forced cost nearly nothing and don't count; of a few
        /// others nothing can be told.
        /// </summary>
        public static double? Rate(ModelCall call)
        {
            var (sampled, seconds) = (call.TokenIds.Count - call.ForcedTokens, (call.Duration - call.FirstToken).TotalSeconds);
            return sampled >= LeastTold && seconds > 0 ? (sampled - 1) / seconds : null;
        }
    }
}
