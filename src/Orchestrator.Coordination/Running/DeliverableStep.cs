using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Coordination.Protocols;
using Orchestrator.Core;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;

namespace Orchestrator.Coordination.Running;

/// <summary>
/// Writes the run's file: a member writes the narrative, the template puts it together with what the run holds, a tool
/// checks it, and only what passed is moved to its place.
/// </summary>
internal sealed class DeliverableStep(RunScope run)
{
    private const string DraftFolder = ".draft";

    /// <summary>Refuses a definition that cannot be carried out.</summary>
    internal static void Validate(TeamDefinition team)
    {
        if (team.Deliverable is not { } deliverable)
        {
            return;
        }

        if (deliverable.File.Length == 0 || Path.GetFileName(deliverable.File) != deliverable.File || deliverable.File is "." or "..")
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"deliverable.file of team '{team.Name}' is '{deliverable.File}'; it is to be the name of a file, without folders.",
                "Write only the file's name there; --output names the folder.");
        }

        if (deliverable.Author is { } author && team.Members.All(m => m.Name != author))
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"deliverable.author of team '{team.Name}' is '{author}', who is not a member.",
                "Name a member, or leave it out.");
        }
    }

    internal async Task RunAsync(DeliverableDefinition deliverable, CancellationToken cancellationToken)
    {
        var draft = Path.Combine(run.Run.OutputFolder, DraftFolder, deliverable.File);
        var problems = "";
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var text = await WriteAsync(deliverable, problems, cancellationToken).ConfigureAwait(false);
            var bytes = Encoding.UTF8.GetBytes(text);
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(draft)!);
                await File.WriteAllBytesAsync(draft, bytes, cancellationToken).ConfigureAwait(false);
                problems = await CheckAsync(deliverable, draft, cancellationToken).ConfigureAwait(false);
                if (problems.Length == 0)
                {
                    await DeliverAsync(deliverable, draft, bytes, text, cancellationToken).ConfigureAwait(false);
                    return;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new OrchestratorException(
                    ErrorKind.Run,
                    $"'{draft}' cannot be written: {e.Message}",
                    "Free some disk space or choose another output folder, then run again.",
                    e);
            }

            await run.Journal.AppendAsync(
                new RunFailed($"{deliverable.File} did not pass {deliverable.Check}: {problems}", Fatal: false), cancellationToken)
                .ConfigureAwait(false);
        }

        throw new OrchestratorException(
            ErrorKind.Run,
            $"{deliverable.File} did not pass {deliverable.Check}, nor did its repair: {problems}",
            $"The draft is kept at '{draft}'.");
    }

    private async Task<string> WriteAsync(
        DeliverableDefinition deliverable, string problems, CancellationToken cancellationToken)
    {
        var variables = Variables(problems);
        if (deliverable.Narrative is { } narrative)
        {
            var author = run.Agent(deliverable.Author ?? run.Members.Agents[0].Card.Name);
            foreach (var (name, value) in PromptVariables.Of(author.Card))
            {
                variables.TryAdd(name, value);
            }

            var cue = await run.Prompts.RenderAsync(narrative, variables, cancellationToken).ConfigureAwait(false);
            var turn = await run.Turns.TakeAsync(
                author, run.Turn(cue, run.Transcript) with { Tools = [] }, null, cancellationToken).ConfigureAwait(false);
            if (turn.Reply is not { } reply)
            {
                throw new OrchestratorException(
                    ErrorKind.Run,
                    $"{author.Card.Name} could not write {deliverable.File}: {turn.Failure}",
                    "Run it again, or name another deliverable.author.");
            }

            run.Transcript = await TurnRecord.PostAsync(
                run.Journal, run.Transcript, author.Card.Name, cue, reply, run.Options.MaxToolResultCharacters, cancellationToken)
                .ConfigureAwait(false);
            variables["narrative"] = reply.Text;
        }

        variables["evidence"] = await EvidenceAsync(deliverable, cancellationToken).ConfigureAwait(false);
        return await run.Prompts.RenderAsync(deliverable.Prompt, variables, cancellationToken).ConfigureAwait(false);
    }

    private Dictionary<string, object?> Variables(string problems) => new()
    {
        ["team"] = run.Team.Name,
        ["task"] = run.Run.Task,
        ["run"] = run.Journal.RunId,
        ["inputs"] = run.Team.Inputs,
        ["problems"] = problems,
        ["narrative"] = "",
        ["evidence"] = "",
        ["question"] = run.Team.Protocol.Decision?.Question ?? "",
        ["decision"] = run.Decision?.Winner ?? "",
        ["margin"] = Math.Round(run.Decision?.Margin ?? 0, 3),
        ["shares"] = (run.Decision?.Shares ?? []).Select(s => new Dictionary<string, object?>
        {
            ["option"] = s.Option,
            ["share"] = Math.Round(s.Share, 3),
        }).ToArray(),
        ["results"] = run.Outcomes.Select(o => new Dictionary<string, object?>
        {
            ["task"] = run.Plan!.Tasks.First(t => t.Id == o.TaskId).Description,
            ["task_id"] = o.TaskId,
            ["agent"] = o.Agent,
            ["succeeded"] = o.Succeeded,
            ["result"] = o.Result,
        }).ToArray(),
        ["facts"] = run.Transcript.Messages
            .Where(m => m.Content is { ValueKind: JsonValueKind.Array })
            .SelectMany(m => m.Content!.Value.EnumerateArray().Select(f => new Dictionary<string, object?> { ["agent"] = m.From, ["fact"] = f }))
            .ToArray(),
        ["messages"] = run.Transcript.Messages.Select(m => new Dictionary<string, object?>
        {
            ["from"] = m.From,
            ["text"] = m.Text,
        }).ToArray(),
    };

    private async Task<string> EvidenceAsync(DeliverableDefinition deliverable, CancellationToken cancellationToken)
    {
        if (deliverable.Evidence is not { } tool)
        {
            return "";
        }

        var arguments = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["decision"] = run.Decision?.Winner ?? "" });
        var result = await run.Tools.InvokeAsync(tool, arguments, cancellationToken).ConfigureAwait(false);
        return result.Failed
            ? throw new OrchestratorException(
                ErrorKind.Run,
                $"The evidence for {deliverable.File} could not be had from '{tool}': {result.Result}",
                "Mend the plugin, or take deliverable.evidence out of the team's file.")
            : result.Result.Trim();
    }

    private async Task<string> CheckAsync(DeliverableDefinition deliverable, string draft, CancellationToken cancellationToken)
    {
        if (deliverable.Check is not { } tool)
        {
            return "";
        }

        var arguments = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["path"] = draft });
        var result = await run.Tools.InvokeAsync(tool, arguments, cancellationToken).ConfigureAwait(false);
        return result.Failed && result.Result.Length == 0 ? "The check failed." : result.Result.Trim();
    }

    private async Task DeliverAsync(
        DeliverableDefinition deliverable, string draft, byte[] bytes, string text, CancellationToken cancellationToken)
    {
        var path = Path.Combine(run.Run.OutputFolder, deliverable.File);
        File.Move(draft, path, overwrite: true);
        Directory.Delete(Path.GetDirectoryName(draft)!);
        run.Deliverable = path;
        run.Result = text;
        await run.Journal.AppendAsync(
            new DeliverableWritten(deliverable.File, Convert.ToHexStringLower(SHA256.HashData(bytes))), cancellationToken)
            .ConfigureAwait(false);
    }
}
