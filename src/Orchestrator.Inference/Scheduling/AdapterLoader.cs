using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling;

/// <summary>Finds the numbers that a driver knows adapters by, and loads each once.</summary>
internal sealed class AdapterLoader(IModelDriver driver, Func<string, string?>? find)
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    /// <summary>Loads what is not loaded yet.</summary>
    /// <param name="adapters">The adapters.</param>
    /// <returns>Their numbers and scales, in order.</returns>
    /// <exception cref="InferenceException">One is unknown, or of another model.</exception>
    public (int Adapter, float Scale)[] Resolve(AdapterSet adapters) =>
        [.. adapters.Adapters.Select(a => (Number(a.Name), a.Scale))];

    private int Number(string name)
    {
        if (_numbers.TryGetValue(name, out var number))
        {
            return number;
        }

        var path = find?.Invoke(name) ?? throw new InferenceException(
            InferenceError.Adapter, $"There is no adapter '{name}'.", "List the adapters of the model store.");
        try
        {
            return _numbers[name] = driver.LoadAdapter(path);
        }
        catch (Exception error) when (error is not InferenceException and not OutOfMemoryException)
        {
            throw new InferenceException(
                InferenceError.Adapter, $"The adapter '{name}' ({path}) cannot be used with {driver.Info.Name}: {error.Message}", null, error);
        }
    }
}
