using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Agents;
using Orchestrator.Agents.Teams;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Runs;
using Orchestrator.Console.Terminal;
using Orchestrator.Coordination.Running;
using Orchestrator.Core;
using Orchestrator.Core.Plugins;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Inference.Hosting;
using Orchestrator.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Models;

namespace Orchestrator.Console.Commands;

/// <summary><c>orchestrator run</c>: a team does a job.</summary>
internal sealed class RunCommand : ConsoleCommand
{
    private readonly Argument<string> _team = new("team") { Description = "A team's file, or its name in teams/." };
    private readonly Argument<string?> _task = new("task")
    {
        Description = "What the team is to do; '-' or nothing reads it from standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<bool> _yes = GlobalOptions.Yes();
    private readonly Option<ulong> _seed = new("--seed") { Description = "The seed that all others are drawn from.", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Where the result goes. Default: output/ in the run's folder.", HelpName = "FOLDER" };
    private readonly Option<bool> _planOnly = new("--plan-only") { Description = "Stop once the plan is made and allocated." };
    private readonly Option<string[]> _inputs = new("--input", "-i")
    {
        Description = "An input of the team, as NAME=VALUE; goes before the team's file.",
        HelpName = "NAME=VALUE",
        DefaultValueFactory = _ => [],
    };

    public RunCommand()
        : base(
            "run",
            "Let a team do a job.",
            "orchestrator run teams/incident.yaml \"Find the root cause\" --model ./SmolLM2-135M-Instruct.Q4_1.gguf",
            "orchestrator run incident \"Find the root cause\" --input logs=/var/log/shop --output ./findings",
            "echo \"Write a haiku about logs\" | orchestrator run pair --seed 7 --json")
    {
        Add(_team);
        Add(_task);
        Add(_model);
        Add(_yes);
        Add(_seed);
        Add(_output);
        Add(_planOnly);
        Add(_inputs);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder)
    {
        builder.AddModel(parse.GetValue(_model));
        builder.AddTeams();
    }

    public override async Task<int> ExecuteAsync(
        ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var team = WithInputs(services.FindTeam(parse.GetRequiredValue(_team)), parse.GetRequiredValue(_inputs));

        // Before the model is loaded and the run begins: a mistake in a file leaves no run behind.
        services.GetRequiredService<TeamRunner>().Check(team);
        var named = parse.GetValue(_output) is { } folder ? services.GetRequiredService<RootFolder>().Resolve(folder) : null;
        if (named is not null)
        {
            RequireWritable(named);
        }

        var task = await ReadTaskAsync(parse.GetValue(_task), cancellationToken);
        var model = await services.LoadModelAsync(parse.GetValue(_model) ?? team.Model, parse.GetValue(_yes), cancellationToken);
        services.GetRequiredService<TeamLibrary>().Watch();

        var store = services.GetRequiredService<RunStore>();
        var view = interaction.Json ? (IRunObserver)new JsonLines(interaction) : new RunView(interaction) { ErrorsAreReported = true };
        await using var file = store.Create();
        await using var journal = new ObservedRunJournal(file, view);
        var output = named ?? store.GetOutputFolder(file.RunId);
        var result = await services.GetRequiredService<TeamRunner>().RunAsync(
            new TeamRun
            {
                Team = team,
                Task = task,
                Journal = journal,
                OutputFolder = output,
                Seed = parse.GetValue(_seed),
                Model = model.Engine.Model.Name,
                PlanOnly = parse.GetValue(_planOnly),
                Progress = view as IProgress<TurnProgress>,
                Assemble = async (runJournal, token) =>
                {
                    var client = new JournalingChatClient(model.Chat, runJournal);
                    var agents = await services.GetRequiredService<AgentFactory>().CreateAsync(
                        team, client, Context(services, output), runJournal, token);
                    return new TeamMembers(agents.Agents, client, agents.Tools, agents);
                },
            },
            cancellationToken);
        return Report(result, interaction, services.GetRequiredService<RootFolder>(), output, store.GetFolder(file.RunId));
    }

    /// <summary>Finds out before the work, and not behind it, that its result could not be written.</summary>
    private static void RequireWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using var probe = new FileStream(
                Path.Combine(folder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(
                ErrorKind.Usage, $"The output folder '{folder}' cannot be written to: {e.Message}", "Name another folder with --output.", e);
        }
    }

    private static int Report(
        TeamRunResult result, IInteraction interaction, RootFolder root, string output, string folder)
    {
        if (!interaction.Json)
        {
            if (result.Deliverable is { } deliverable)
            {
                interaction.MarkupLine($"[grey]result:[/] {root.Shorten(Path.Combine(output, deliverable))}");
            }

            interaction.MarkupLine($"[grey]log:[/]    {root.Shorten(Path.Combine(folder, "events.jsonl"))}");
        }

        return result.Reason switch
        {
            "completed" or "stalled" => ExitCodes.Ok,
            "cancelled" => ExitCodes.Interrupted,
            _ => throw result.Error ?? new OrchestratorException(
                ErrorKind.Run, result.Summary, $"See what went before it: orchestrator runs show {result.RunId}"),
        };
    }

    private static PluginContext Context(IServiceProvider services, string output) => new()
    {
        Root = services.GetRequiredService<RootFolder>().Path,
        OutputFolder = output,
        TimeProvider = services.GetRequiredService<TimeProvider>(),
    };

    private static TeamDefinition WithInputs(TeamDefinition team, string[] inputs)
    {
        if (inputs.Length == 0)
        {
            return team;
        }

        var merged = new Dictionary<string, string>(team.Inputs);
        foreach (var input in inputs)
        {
            var split = input.Split('=', 2);
            if (split.Length != 2 || split[0].Length == 0)
            {
                throw new OrchestratorException(ErrorKind.Usage, $"'{input}' is no input.", "Write it as NAME=VALUE.");
            }

            merged[split[0]] = split[1];
        }

        return team with { Inputs = merged };
    }

    private static async Task<string> ReadTaskAsync(string? task, CancellationToken cancellationToken)
    {
        if (task is null or "-")
        {
            task = System.Console.IsInputRedirected ? await System.Console.In.ReadToEndAsync(cancellationToken) : "";
        }

        return task.Trim() is { Length: > 0 } text
            ? text
            : throw new OrchestratorException(ErrorKind.Usage, "The team has no task.", "Name it after the team, or send it on standard input.");
    }

    private sealed class JsonLines(IInteraction interaction) : IRunObserver
    {
        public void OnEvent(RunEvent runEvent) =>
            interaction.WriteJsonLine(JsonSerializer.Serialize(runEvent, RunEventJson.Default.RunEvent));
    }
}
