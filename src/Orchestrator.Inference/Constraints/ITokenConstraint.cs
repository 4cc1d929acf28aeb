namespace Orchestrator.Inference.Constraints;

/// <summary>A compiled constraint bound to a vocabulary. Safe for use by many threads and generations at once.</summary>
public interface ITokenConstraint
{
    /// <summary>The vocabulary that the masks speak of.</summary>
    ITokenVocabulary Vocabulary { get; }

    /// <summary>Starts the constraint for one generation.</summary>
    /// <returns>A matcher at the beginning of the output.</returns>
    IConstraintMatcher Start();
}
