using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Hosting;

/// <summary>Where a model's adapters are found. What it gives may change while the model is served.</summary>
public interface IAdapterSource : IModelAdapters
{
    /// <summary>Finds an adapter's file.</summary>
    /// <param name="name">Its name, or a file's path.</param>
    /// <returns>The path, or null where there is no such adapter. Whether it fits the model is found when it is loaded.</returns>
    string? Find(string name);
}
