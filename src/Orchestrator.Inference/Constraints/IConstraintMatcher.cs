namespace Orchestrator.Inference.Constraints;

/// <summary>
/// One generation's progress under a constraint. Not thread-safe.
/// </summary>
/// <remarks>
/// A matcher never reaches a dead end: in every state at least one token is allowed, or the end is.
/// A caller with a token budget keeps to it like this: it clones the matcher before it accepts a sampled token; when
/// <see cref="MinBytesToEnd"/> then exceeds what is left of the budget, it drops that token, goes back to the clone and
/// appends the clone's <see cref="ShortestCompletion"/>, which takes at most as many tokens as bytes.
/// </remarks>
public interface IConstraintMatcher
{
    /// <summary>Whether the generation may end now.</summary>
    bool CanEnd { get; }

    /// <summary>Whether nothing but the end is allowed now.</summary>
    bool MustEnd { get; }

    /// <summary>
    /// The tokens allowed now: token t is allowed when bit t % 32 of word t / 32 is set.
    /// End-of-generation tokens are set when <see cref="CanEnd"/>; otherwise a special token is set only where the
    /// constraint asks for this one.
    /// </summary>
    /// <returns>⌈vocabulary size / 32⌉ words, valid until the next call that changes this matcher.</returns>
    ReadOnlySpan<uint> Mask();

    /// <summary>Advances by a token.</summary>
    /// <param name="token">A token id. An end-of-generation token is accepted when <see cref="CanEnd"/>, and changes nothing then.</param>
    /// <returns>False when the token is not allowed; the state is then as before.</returns>
    bool TryAccept(int token);

    /// <summary>
    /// Advances by bytes, however they are split into tokens. A special token that the constraint asks for is four bytes
    /// here and in what the members below give: 0xFF, which no text has, and its id, the highest byte first.
    /// </summary>
    /// <param name="bytes">The bytes that follow.</param>
    /// <returns>False when they are not allowed; the state is then as before.</returns>
    bool TryAcceptBytes(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// The bytes that must follow now, whatever is chosen later (jump-forward). They can be appended without sampling,
    /// then accepted by <see cref="TryAcceptBytes"/>. They never end within a UTF-8 character.
    /// </summary>
    /// <returns>The forced bytes; empty when there is a choice, or when the generation may end.</returns>
    ReadOnlyMemory<byte> ForcedBytes();

    /// <summary>
    /// The length in bytes of the shortest output that completes the constraint from here; 0 when <see cref="CanEnd"/>. It
    /// may be a little more under <see cref="JsonConstraintOptions.Quote"/>, where texts are shorter than in JSON.
    /// </summary>
    int MinBytesToEnd { get; }

    /// <summary>A shortest output that completes the constraint from here.</summary>
    /// <returns>At most <see cref="MinBytesToEnd"/> bytes; accepted by <see cref="TryAcceptBytes"/>, after which <see cref="CanEnd"/> holds.</returns>
    ReadOnlyMemory<byte> ShortestCompletion();

    /// <summary>Copies the progress, so that two continuations can be tried.</summary>
    /// <returns>An independent matcher in the same state.</returns>
    IConstraintMatcher Clone();
}
