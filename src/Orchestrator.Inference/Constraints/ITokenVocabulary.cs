namespace Orchestrator.Inference.Constraints;

/// <summary>What a constraint needs to know of a model's vocabulary. Token ids are 0 to <see cref="Size"/> − 1.</summary>
public interface ITokenVocabulary
{
    /// <summary>The number of tokens.</summary>
    int Size { get; }

    /// <summary>The bytes that the token adds to the output; empty for a token without text.</summary>
    /// <param name="token">A token id, 0 to <see cref="Size"/> − 1.</param>
    /// <returns>Raw bytes, not necessarily valid UTF-8 on their own.</returns>
    ReadOnlySpan<byte> GetBytes(int token);

    /// <summary>Whether the token is a control or otherwise special token, which text must never produce.</summary>
    /// <param name="token">A token id, 0 to <see cref="Size"/> − 1.</param>
    /// <returns>True for control, unknown and unused tokens.</returns>
    bool IsSpecial(int token);

    /// <summary>Whether the token ends the generation.</summary>
    /// <param name="token">A token id, 0 to <see cref="Size"/> − 1.</param>
    /// <returns>True for end-of-text, end-of-turn and the like.</returns>
    bool IsEndOfGeneration(int token);

    /// <summary>The text by which templates name the token, where it is a control or user-defined one; null for others.</summary>
    /// <param name="token">A token id, 0 to <see cref="Size"/> − 1.</param>
    /// <returns>The text, such as <c>&lt;|channel|&gt;</c>, or null.</returns>
    string? GetSpecialText(int token) => null;
}
