using System.Collections.Immutable;
using System.Text;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;

namespace Orchestrator.Core.Messages;

/// <summary>
/// A conversation that all members of a team see byte for byte alike: preamble first, then the turns, the cue of the
/// one who speaks last. All agents so share the KV cache of everything but the cue. Immutable: adding gives a new
/// transcript, and forks share what they have in common.
/// </summary>
/// <remarks>
/// An agent's turn is laid out as a cue (<c>name, …</c>, role user) and its answer (role assistant). The cue is the
/// header of the message and stays, so what was computed to make the answer is what later prompts begin with. User
/// and assistant roles alternate, as strict chat templates demand: what others said at once, tools gave or people
/// wrote stands in the user turn before the cue.
/// </remarks>
public sealed class Transcript
{
    private readonly ImmutableList<Entry> _entries;

    private Transcript(string preamble, ImmutableList<Entry> entries)
    {
        Preamble = preamble;
        _entries = entries;
    }

    /// <summary>Task, role cards and rules; the system turn.</summary>
    public string Preamble { get; }

    /// <summary>The turns in order.</summary>
    public IEnumerable<TeamMessage> Messages => _entries.Select(e => e.Message);

    /// <summary>How many turns.</summary>
    public int Count => _entries.Count;

    /// <summary>Begins a transcript.</summary>
    /// <param name="preamble">What all members know from the start.</param>
    /// <returns>A transcript without turns.</returns>
    public static Transcript Begin(string preamble) => new(preamble, []);

    /// <summary>Adds something said without a cue: by a person or a tool, or one of several answers given at once.</summary>
    /// <param name="message">The turn.</param>
    /// <returns>A transcript with it.</returns>
    public Transcript Add(TeamMessage message) => new(Preamble, _entries.Add(new Entry(message, null)));

    /// <summary>Adds the answer to a cue; the cue stays as the header of the message.</summary>
    /// <param name="cue">The cue as it was given to <see cref="ToPrompt"/>.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>A transcript with both.</returns>
    public Transcript AddTurn(string cue, TeamMessage answer) => new(Preamble, _entries.Add(new Entry(answer, cue)));

    /// <summary>
    /// The prompt for the one who speaks next. For two agents it differs only after the last line that both can see.
    /// </summary>
    /// <param name="speaker">Who speaks.</param>
    /// <param name="cue">What is asked of it, in a line.</param>
    /// <param name="notes">What only it sees, or null; stands right before the cue and is not kept.</param>
    /// <returns>Messages: a system turn, then user and assistant turns in strict alternation, a user turn last.</returns>
    public IList<ChatMessage> ToPrompt(string speaker, string cue, string? notes = null)
    {
        var (messages, pending) = Lay();
        if (!string.IsNullOrEmpty(notes))
        {
            Separate(pending).Append("Notes for ").Append(speaker).Append(" only:\n").Append(notes);
        }

        Separate(pending).Append(Header(speaker, cue));
        messages.Add(new ChatMessage(ChatRole.User, pending.ToString()));
        return messages;
    }

    /// <summary>The transcript without a cue, for questions that are decided and not answered.</summary>
    /// <returns>A system turn, then user and assistant turns in strict alternation.</returns>
    public IList<ChatMessage> ToContext()
    {
        var (messages, pending) = Lay();
        if (pending.Length > 0)
        {
            messages.Add(new ChatMessage(ChatRole.User, pending.ToString()));
        }

        return messages;
    }

    private (List<ChatMessage> Messages, StringBuilder Pending) Lay()
    {
        var messages = new List<ChatMessage>(_entries.Count * 2 + 2) { new(ChatRole.System, Preamble) };
        var pending = new StringBuilder();
        foreach (var (message, cue) in _entries)
        {
            if (cue is null)
            {
                Separate(pending).Append(message.From).Append(": ").Append(message.Text);
                continue;
            }

            Separate(pending).Append(Header(message.From, cue));
            messages.Add(new ChatMessage(ChatRole.User, pending.ToString()));
            pending.Clear();
            var answer = new ChatMessage(ChatRole.Assistant, message.Text) { AuthorName = message.From };
            if (message.TokenIds is { } ids)
            {
                ModelCall.SetTokenIds(answer, ids);
            }

            messages.Add(answer);
        }

        return (messages, pending);
    }

    private static string Header(string speaker, string cue) => $"[{speaker}] {cue}";

    private static StringBuilder Separate(StringBuilder text) => text.Length == 0 ? text : text.Append("\n\n");

    private sealed record Entry(TeamMessage Message, string? Cue);
}
