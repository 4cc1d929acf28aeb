using Orchestrator.Core;

namespace Orchestrator.Inference.Constraints;

/// <summary>A constraint that is malformed, can't be satisfied, or asks for what can't be enforced.</summary>
public sealed class ConstraintException : OrchestratorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong, in one sentence.</param>
    /// <param name="keyword">The keyword of the schema that can't be enforced, or null.</param>
    /// <param name="location">Where: a JSON pointer into the schema, or an offset in the pattern or grammar.</param>
    /// <param name="remedy">What to do about it.</param>
    public ConstraintException(string message, string? keyword = null, string? location = null, string? remedy = null)
        : base(ErrorKind.Configuration, location is null ? message : $"{message} (at {location})", remedy)
    {
        Keyword = keyword;
        Location = location;
    }

    /// <summary>The keyword of the schema that can't be enforced, such as <c>uniqueItems</c>; null where none is to blame.</summary>
    public string? Keyword { get; }

    /// <summary>Where: a JSON pointer into the schema (<c>#/properties/a</c>), or an offset in the pattern or grammar.</summary>
    public string? Location { get; }
}
