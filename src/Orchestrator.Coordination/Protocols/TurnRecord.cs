using Orchestrator.Core.Agents;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Text;

namespace Orchestrator.Coordination.Protocols;

/// <summary>Puts what came of a turn on the transcript and in the journal: what tools gave, then the answer.</summary>
internal static class TurnRecord
{
    internal static async Task<Transcript> PostAsync(
        IRunJournal journal,
        Transcript transcript,
        string speaker,
        string cue,
        AgentReply reply,
        int maxToolResultCharacters,
        CancellationToken cancellationToken)
    {
        foreach (var message in ToolMessages(reply, speaker, maxToolResultCharacters))
        {
            transcript = transcript.Add(message);
            await journal.AppendAsync(new MessagePosted(message) { Agent = speaker }, cancellationToken).ConfigureAwait(false);
        }

        var answer = new TeamMessage(speaker, reply.Text, Performative.Inform, reply.Content, reply.TokenIds);
        await journal.AppendAsync(new MessagePosted(answer, cue) { Agent = speaker }, cancellationToken).ConfigureAwait(false);
        return transcript.AddTurn(cue, answer);
    }

    /// <summary>
    /// What tools gave, each as a turn of its own, as the agent saw it; only what is longer than allowed is cut.
    /// </summary>
    internal static IEnumerable<TeamMessage> ToolMessages(AgentReply reply, string caller, int maxCharacters = int.MaxValue) =>
        (reply.ToolResults ?? []).Select(t => t.ToMessage(caller, maxCharacters));

    /// <summary>The beginning of a text, without half a surrogate pair at its end.</summary>
    internal static string Cut(string text, int characters) =>
        text.Length <= characters ? text : string.Concat(Excerpt.Beginning(text, characters), " …");

    /// <summary>The end of a text, without half a surrogate pair at its beginning.</summary>
    internal static string CutStart(string text, int characters)
    {
        if (text.Length <= characters)
        {
            return text;
        }

        var start = text.Length - characters;
        return text[(char.IsLowSurrogate(text[start]) ? start + 1 : start)..];
    }
}
