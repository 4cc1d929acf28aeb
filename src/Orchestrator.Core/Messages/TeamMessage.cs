using System.Text.Json;

namespace Orchestrator.Core.Messages;

/// <summary>What a message does, after FIPA-ACL's communicative acts.</summary>
public enum Performative
{
    /// <summary>Tells a fact or a result.</summary>
    Inform,

    /// <summary>Asks for an action.</summary>
    Request,

    /// <summary>Asks for information.</summary>
    Query,

    /// <summary>Asks for proposals.</summary>
    CallForProposals,

    /// <summary>Makes a proposal or a bid.</summary>
    Propose,

    /// <summary>Accepts a proposal.</summary>
    Accept,

    /// <summary>Rejects a proposal.</summary>
    Reject,

    /// <summary>Declines to act.</summary>
    Refuse,

    /// <summary>Agrees to act, or with what was said.</summary>
    Agree,
}

/// <summary>One turn of a conversation, the same for every viewer.</summary>
/// <param name="From">Who speaks: an agent's name, <c>user</c>, or a tool's name.</param>
/// <param name="Text">What was said, as shown.</param>
/// <param name="Performative">What the message does.</param>
/// <param name="Content">The typed content, where the message follows a schema.</param>
/// <param name="TokenIds">The tokens that the text was generated as, or null.</param>
public sealed record TeamMessage(
    string From,
    string Text,
    Performative Performative = Performative.Inform,
    JsonElement? Content = null,
    IReadOnlyList<int>? TokenIds = null);
