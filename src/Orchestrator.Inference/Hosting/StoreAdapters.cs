using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Hosting;

/// <summary>The adapters of the model store, and files by their paths, for one model.</summary>
internal sealed class StoreAdapters(ModelStore store, GgufModel model) : IAdapterSource
{
    public string? Find(string name)
    {
        if (store.Find(name) is { } record)
        {
            return record.Adapter is null
                ? throw new OrchestratorException(
                    ErrorKind.Usage, $"'{name}' is a model, and was named as an adapter.", "Name an adapter: orchestrator model list")
                : record.Exists ? record.Path : null;
        }

        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && File.Exists(name) ? Path.GetFullPath(name) : null;
    }

    public IReadOnlyList<string> List() =>
        [.. store.List().Where(record => record.Adapter is not null && record.Exists && Fits(record.Path)).Select(record => record.Name)];

    private bool Fits(string path)
    {
        try
        {
            return AdapterValidator.Check(GgufReader.Read(path), model).Count == 0;
        }
        catch (OrchestratorException)
        {
            // What can't be read is not offered; whoever names it is told why.
            return false;
        }
    }
}
