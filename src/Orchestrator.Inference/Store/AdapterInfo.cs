using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Store;

/// <summary>What makes a record of the store an adapter.</summary>
/// <param name="Architecture">The architecture that it is for.</param>
/// <param name="Base">The model that it was made for, by its own account; null where it doesn't say.</param>
public sealed record AdapterInfo(string Architecture, string? Base)
{
    /// <summary>What a file is an adapter of.</summary>
    /// <param name="file">The header of a GGUF file.</param>
    /// <returns>Its base by its own account; null where the file is a model.</returns>
    public static AdapterInfo? Of(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return AdapterValidator.IsAdapter(file)
            ? new AdapterInfo(file.Metadata.Text("general.architecture") ?? "unknown", file.Metadata.Text("general.base_model.0.name"))
            : null;
    }

    /// <summary>The base as it is shown: its name, or its architecture.</summary>
    public override string ToString() => Base ?? $"a {Architecture} model";
}
