using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;

namespace Orchestrator.Core.Tests.Messages;

public sealed class TranscriptTests
{
    /// <summary>A step: which of the transcripts so far grows, and by what.</summary>
    private static readonly Gen<(int From, string Speaker, string? Cue, bool Ids)[]> Steps = Gen.ArrayOf(
        from origin in Gen.Choose(0, 1000)
        from speaker in Gen.Elements("ann", "bob", "logs-search", "user")
        from cue in Gen.Elements(null, "Speak.", "What is it?")
        from ids in Gen.Elements(true, false)
        select (origin, speaker, cue, ids));

    /// <summary>Transcripts fork at will, and each is laid out as one that was built alone, message by message.</summary>
    [Property(MaxTest = 300)]
    public Property Forks_are_laid_out_as_if_each_were_alone() => Prop.ForAll(Steps.ToArbitrary(), steps =>
    {
        var grown = new List<(Transcript Transcript, List<(TeamMessage Message, string? Cue)> Turns)> { (Transcript.Begin("The task."), []) };
        foreach (var (from, speaker, cue, ids) in steps)
        {
            var (transcript, turns) = grown[from % grown.Count];
            var message = new TeamMessage(speaker, $"m{grown.Count}", TokenIds: ids ? [grown.Count] : null);
            grown.Add((cue is null ? transcript.Add(message) : transcript.AddTurn(cue, message), [.. turns, (message, cue)]));
        }

        foreach (var (transcript, turns) in grown)
        {
            Assert.Equal(turns.Select(t => t.Message), transcript.Messages);
            Assert.Equal(turns.Count, transcript.Count);
            Assert.Equal(turns.TakeLast(2).Select(t => t.Message), transcript.Last(2));
            Equal(Lay(turns, "[cid] Go on."), transcript.ToPrompt("cid", "Go on."));
            Equal(Lay(turns, "Notes for cid only:\nsecret\n\n[cid] Go on."), transcript.ToPrompt("cid", "Go on.", "secret"));
            Equal(Lay(turns, null), transcript.ToContext());
        }
    });

    [Fact]
    public void Prompts_share_all_that_was_laid_out_before()
    {
        var transcript = Transcript.Begin("The task.").AddTurn("Speak.", new TeamMessage("ann", "hello"));
        var before = transcript.ToPrompt("bob", "Speak.");
        var after = transcript.AddTurn("Speak.", new TeamMessage("bob", "hi")).ToPrompt("ann", "Speak.");
        for (var i = 0; i < before.Count - 1; i++)
        {
            Assert.Same(before[i], after[i]);
        }

        Assert.Throws<NotSupportedException>(() => before.Add(new ChatMessage()));
    }

    [Fact]
    public void Transcripts_may_grow_from_each_other_on_several_threads()
    {
        var start = Transcript.Begin("The task.");
        Parallel.For(0, 64, i =>
        {
            var mine = start;
            for (var j = 0; j < 50; j++)
            {
                mine = mine.AddTurn("Speak.", new TeamMessage($"a{i}", $"{j}"));
            }

            Assert.All(mine.Messages, m => Assert.Equal($"a{i}", m.From));
            Assert.Equal(102, mine.ToPrompt("x", "y").Count);
        });
    }

    private static List<(ChatRole Role, string Text, string? Author, string Ids)> Lay(
        IReadOnlyList<(TeamMessage Message, string? Cue)> turns, string? last)
    {
        var messages = new List<(ChatRole, string, string?, string)> { (ChatRole.System, "The task.", null, "") };
        var pending = new StringBuilder();
        foreach (var (message, cue) in turns)
        {
            if (cue is null)
            {
                pending.Append(pending.Length > 0 ? "\n\n" : "").Append(message.From).Append(": ").Append(message.Text);
                continue;
            }

            pending.Append(pending.Length > 0 ? "\n\n" : "").Append('[').Append(message.From).Append("] ").Append(cue);
            messages.Add((ChatRole.User, pending.ToString(), null, ""));
            pending.Clear();
            messages.Add((ChatRole.Assistant, message.Text, message.From, string.Join(',', message.TokenIds ?? [])));
        }

        if (last is not null)
        {
            pending.Append(pending.Length > 0 ? "\n\n" : "").Append(last);
        }

        if (pending.Length > 0)
        {
            messages.Add((ChatRole.User, pending.ToString(), null, ""));
        }

        return messages;
    }

    private static void Equal(List<(ChatRole Role, string Text, string? Author, string Ids)> expected, IList<ChatMessage> prompt)
    {
        Assert.Equal(expected, prompt.Select(m => (m.Role, m.Text, m.AuthorName, string.Join(',', ModelCall.GetTokenIds(m) ?? []))));
        Assert.Equal(prompt, Enumerable.Range(0, prompt.Count).Select(i => prompt[i]));
        var copy = new ChatMessage[prompt.Count];
        prompt.CopyTo(copy, 0);
        Assert.Equal(prompt, copy);
    }
}
