using Orchestrator.Coordination.Protocols;

namespace Orchestrator.Coordination.Running;

/// <summary>Lets the members talk about what they found.</summary>
internal sealed class ChatStep(RunScope run)
{
    internal async Task<ConversationEnd> RunAsync(CancellationToken cancellationToken)
    {
        var protocol = run.Team.Protocol;
        if (protocol.MaxRounds == 0)
        {
            return ConversationEnd.RoundLimit;
        }

        var question = protocol.Question ?? run.Run.Task;
        var cues = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var agent in run.Members.Agents)
        {
            var variables = PromptVariables.Of(agent.Card);
            variables["question"] = question;
            variables["goal"] = run.Run.Task;
            cues[agent.Card.Name] = await run.Prompts.RenderAsync(run.Team.Prompts.Discussion, variables, cancellationToken)
                .ConfigureAwait(false);
        }

        IConversationProtocol chat = protocol.Kind == "roundRobin"
            ? new RoundRobinChat()
            : new ModeratedChat(run.Options, run.Clock);
        var result = await chat.RunAsync(
            new Conversation
            {
                Members = run.Members.Agents,
                Transcript = run.Transcript,
                Question = question,
                Cues = cues,
                MaxRounds = protocol.MaxRounds,
                Turn = run.Turn("", run.Transcript),
                Turns = run.Turns,
                Journal = run.Journal,
                Scorer = run.Scorer,
                MaxToolResultCharacters = run.Options.MaxToolResultCharacters,
            },
            cancellationToken).ConfigureAwait(false);
        run.Transcript = result.Transcript;
        run.Result = result.Turns > 0 ? result.Transcript.Last(1).First().Text : run.Result;
        return result.End;
    }
}
