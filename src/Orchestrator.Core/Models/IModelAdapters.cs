namespace Orchestrator.Core.Models;

/// <summary>What serves a model can say which adapters it has for it; found through <c>IChatClient.GetService</c>.</summary>
public interface IModelAdapters
{
    /// <summary>The names that <see cref="AdapterUse.Name"/> may have now.</summary>
    /// <returns>Those of adapters that fit the model, in order.</returns>
    IReadOnlyList<string> List();
}
