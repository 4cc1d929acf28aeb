namespace Orchestrator.Inference.Store;

/// <summary>What makes a record of the store an adapter.</summary>
/// <param name="Architecture">The architecture that it is for.</param>
/// <param name="Base">The model that it was made for, by its own account; null where it doesn't say.</param>
public sealed record AdapterInfo(string Architecture, string? Base)
{
    /// <summary>The base as it is shown: its name, or its architecture.</summary>
    public override string ToString() => Base ?? $"a {Architecture} model";
}
