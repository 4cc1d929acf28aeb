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
/// wrote stands in the user turn before the cue. Prompts are laid out as turns are added, so a turn costs the same
/// however long the conversation is; prompts share their messages, which are not to be changed.
/// </remarks>
public sealed class Transcript
{
    private const string Separator = "\n\n";

    private readonly AppendOnlyList<TeamMessage> _messages;
    private readonly AppendOnlyList<ChatMessage> _prompt;
    private readonly AppendOnlyList<string>? _pending;

    private Transcript(
        string preamble, AppendOnlyList<TeamMessage> messages, AppendOnlyList<ChatMessage> prompt, AppendOnlyList<string>? pending)
    {
        Preamble = preamble;
        _messages = messages;
        _prompt = prompt;
        _pending = pending;
    }

    /// <summary>Task, role cards and rules; the system turn.</summary>
    public string Preamble { get; }

    /// <summary>The turns in order.</summary>
    public IEnumerable<TeamMessage> Messages => _messages;

    /// <summary>How many turns.</summary>
    public int Count => _messages.Count;

    /// <summary>Begins a transcript.</summary>
    /// <param name="preamble">What all members know from the start.</param>
    /// <returns>A transcript without turns.</returns>
    public static Transcript Begin(string preamble) => new(
        preamble,
        AppendOnlyList<TeamMessage>.Create(),
        AppendOnlyList<ChatMessage>.Create().Add(new ChatMessage(ChatRole.System, preamble)),
        null);

    /// <summary>The last turns.</summary>
    /// <param name="count">How many at most.</param>
    /// <returns>The turns, oldest first.</returns>
    public IEnumerable<TeamMessage> Last(int count)
    {
        for (var i = Math.Max(0, _messages.Count - count); i < _messages.Count; i++)
        {
            yield return _messages[i];
        }
    }

    /// <summary>Adds something said without a cue: by a person or a tool, or one of several answers given at once.</summary>
    /// <param name="message">The turn.</param>
    /// <returns>A transcript with it.</returns>
    public Transcript Add(TeamMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var pending = (_pending ?? AppendOnlyList<string>.Create()).Add($"{message.From}: {message.Text}");
        return new(Preamble, _messages.Add(message), _prompt, pending);
    }

    /// <summary>Adds the answer to a cue; the cue stays as the header of the message.</summary>
    /// <param name="cue">The cue as it was given to <see cref="ToPrompt"/>.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>A transcript with both.</returns>
    public Transcript AddTurn(string cue, TeamMessage answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var said = new ChatMessage(ChatRole.Assistant, answer.Text) { AuthorName = answer.From };
        if (answer.TokenIds is { } ids)
        {
            ModelCall.SetTokenIds(said, ids);
        }

        var asked = new ChatMessage(ChatRole.User, Join(Header(answer.From, cue)));
        return new(Preamble, _messages.Add(answer), _prompt.Add(asked).Add(said), null);
    }

    /// <summary>
    /// The prompt for the one who speaks next. For two agents it differs only after the last line that both can see.
    /// </summary>
    /// <param name="speaker">Who speaks.</param>
    /// <param name="cue">What is asked of it, in a line.</param>
    /// <param name="notes">What only it sees, or null; stands right before the cue and is not kept.</param>
    /// <returns>
    /// Messages: a system turn, then user and assistant turns in strict alternation, a user turn last. What others said
    /// before the cue is a content of its own, so that who serves the prompt sees where the transcript ends. Read only.
    /// </returns>
    public IList<ChatMessage> ToPrompt(string speaker, string cue, string? notes = null)
    {
        var header = Header(speaker, cue);
        var asked = new TextContent(string.IsNullOrEmpty(notes) ? header : $"Notes for {speaker} only:\n{notes}{Separator}{header}");
        return _prompt.Add(new ChatMessage(ChatRole.User, _pending is null ? [asked] : [new TextContent(Join() + Separator), asked]), share: false);
    }

    /// <summary>The transcript without a cue, for questions that are decided and not answered.</summary>
    /// <returns>A system turn, then user and assistant turns in strict alternation. Read only.</returns>
    public IList<ChatMessage> ToContext() =>
        _pending is null ? _prompt : _prompt.Add(new ChatMessage(ChatRole.User, Join()), share: false);

    private static string Header(string speaker, string cue) => $"[{speaker}] {cue}";

    private string Join(params ReadOnlySpan<string> texts) => string.Join(Separator, [.. _pending ?? Enumerable.Empty<string>(), .. texts]);
}
