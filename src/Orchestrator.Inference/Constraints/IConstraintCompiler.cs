namespace Orchestrator.Inference.Constraints;

/// <summary>Compiles constraints for one vocabulary. Safe for use by many threads.</summary>
public interface IConstraintCompiler
{
    /// <summary>The vocabulary that the constraints are bound to.</summary>
    ITokenVocabulary Vocabulary { get; }

    /// <summary>Compiles a constraint, or finds it in the cache.</summary>
    /// <param name="definition">What outputs must look like.</param>
    /// <returns>The constraint, shared by all callers that ask for an equal definition.</returns>
    /// <exception cref="ConstraintException">The definition is malformed, can't be satisfied, or asks for what can't be enforced.</exception>
    ITokenConstraint Compile(ConstraintDefinition definition);
}
