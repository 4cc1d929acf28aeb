using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>A LoRA adapter, described from its header alone.</summary>
/// <param name="Path">The adapter's file.</param>
/// <param name="Name">What it calls itself, or its file's name.</param>
/// <param name="Architecture">The architecture that it is for.</param>
/// <param name="Alpha">The update is scaled by this over the rank.</param>
/// <param name="Rank">The largest rank among its matrices.</param>
/// <param name="Targets">The base's tensors that it changes.</param>
/// <param name="InvocationTokens">The token ids that activate it (aLoRA); empty for one that is always on.</param>
/// <param name="Bytes">The file's size.</param>
public sealed record AdapterCard(
    string Path,
    string Name,
    string Architecture,
    float Alpha,
    int Rank,
    IReadOnlyList<string> Targets,
    IReadOnlyList<int> InvocationTokens,
    long Bytes)
{
    /// <summary>Reads an adapter and refuses it where it doesn't fit the model.</summary>
    /// <param name="path">A GGUF file of type adapter.</param>
    /// <param name="model">The model that it is to be used with.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The file is missing, not sound, or made for another model.</exception>
    public static AdapterCard Read(string path, GgufModel model, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        var file = GgufReader.Read(path, cancellation);
        var problems = AdapterValidator.Check(file, model);
        if (problems.Count > 0)
        {
            throw GgufError.Of(problems, "Use an adapter that was trained on this model, or export it again.");
        }

        return Of(file);
    }

    /// <summary>Describes an adapter, whatever model it is for.</summary>
    /// <param name="file">The header of a GGUF file of type adapter.</param>
    /// <exception cref="OrchestratorException">The file is not sound.</exception>
    public static AdapterCard Of(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        AdapterValidator.ValidateAlone(file);
        var metadata = file.Metadata;
        var halves = file.Tensors.Where(tensor => tensor.Name.EndsWith(AdapterValidator.SuffixB, StringComparison.Ordinal)).ToList();
        return new AdapterCard(
            file.Path,
            metadata.Text("general.name") ?? System.IO.Path.GetFileNameWithoutExtension(file.Path),
            metadata.Text("general.architecture")!,
            (float)(metadata.Number("adapter.lora.alpha") ?? 0),
            (int)halves.Select(AdapterValidator.Rank).DefaultIfEmpty().Max(),
            [.. halves.Select(tensor => tensor.Name[..^AdapterValidator.SuffixB.Length])],
            metadata.TryGet(AdapterValidator.InvocationKey, out var tokens) ? Array.ConvertAll((uint[])tokens.Content, id => (int)id) : [],
            file.Length);
    }
}
