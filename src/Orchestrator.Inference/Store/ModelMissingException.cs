using Orchestrator.Core;

namespace Orchestrator.Inference.Store;

/// <summary>A model is not on this machine. Where one can be pulled instead, the error names it, so that a caller can offer to.</summary>
public sealed class ModelMissingException : OrchestratorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is missing.</param>
    /// <param name="remedy">What to do.</param>
    /// <param name="proposed">The model to pull, or null where none is known.</param>
    public ModelMissingException(string message, string remedy, CatalogueEntry? proposed)
        : base(ErrorKind.Model, message, remedy) => Proposed = proposed;

    /// <summary>The model to pull, or null where none is known.</summary>
    public CatalogueEntry? Proposed { get; }
}
