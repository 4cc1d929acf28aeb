using System.Globalization;
using System.Security.Cryptography;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling;

/// <summary>What an adapter's name stands for at the moment, compared with what is loaded.</summary>
internal enum AdapterStatus
{
    /// <summary>Its file is loaded.</summary>
    Loaded,

    /// <summary>It was not asked for yet.</summary>
    New,

    /// <summary>Another file is loaded under this name.</summary>
    Changed,

    /// <summary>There is no such adapter, or no longer.</summary>
    Missing,
}

/// <summary>Finds the numbers that a driver knows adapters by, loads each once, and frees it.</summary>
internal sealed class AdapterLoader(IModelDriver driver, Func<string, string?>? find)
{
    private readonly Dictionary<string, Loaded> _loaded = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Path, string Stamp), string> _contents = [];

    /// <summary>How many are loaded.</summary>
    public int Count => _loaded.Count;

    /// <summary>Looks a name up.</summary>
    public AdapterStatus Look(string name)
    {
        var path = find?.Invoke(name);
        if (path is null)
        {
            return AdapterStatus.Missing;
        }

        return !_loaded.TryGetValue(name, out var loaded) ? AdapterStatus.New
            : loaded.Path == path && loaded.Stamp == Stamp(path) ? AdapterStatus.Loaded
            : AdapterStatus.Changed;
    }

    /// <summary>Whether something is loaded under a name.</summary>
    public bool IsLoaded(string name) => _loaded.ContainsKey(name);

    /// <summary>Loads an adapter.</summary>
    /// <exception cref="InferenceException">It is unknown, broken, or of another model.</exception>
    public void Load(string name)
    {
        var path = find?.Invoke(name) ?? throw Missing(name);
        try
        {
            var stamp = Stamp(path);
            var number = driver.LoadAdapter(path);
            _loaded[name] = new Loaded(number, path, stamp, driver.InvocationTokens(number));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InferenceException(
                InferenceError.Adapter, $"The adapter '{name}' ({path}) cannot be used with {driver.Info.Name}: {error.Message}", null, error);
        }
    }

    /// <summary>The SHA-256 of what is loaded under a name; null where its file can't be read, or was replaced meanwhile.</summary>
    public string? ContentOf(string name)
    {
        if (!_loaded.TryGetValue(name, out var loaded))
        {
            return null;
        }

        if (_contents.TryGetValue((loaded.Path, loaded.Stamp), out var known))
        {
            return known;
        }

        try
        {
            if (Stamp(loaded.Path) != loaded.Stamp)
            {
                return null;
            }

            string content;
            using (var file = File.OpenRead(loaded.Path))
            {
                content = Convert.ToHexStringLower(SHA256.HashData(file));
            }

            return Stamp(loaded.Path) == loaded.Stamp ? _contents[(loaded.Path, loaded.Stamp)] = content : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Frees an adapter that no request uses.</summary>
    public void Free(string name)
    {
        if (_loaded.Remove(name, out var loaded))
        {
            driver.FreeAdapter(loaded.Number);
        }
    }

    /// <summary>The numbers and scales of loaded adapters, in order.</summary>
    public (int Adapter, float Scale)[] Numbers(AdapterSet adapters) =>
        [.. adapters.Adapters.Select(a => (_loaded[a.Name].Number, a.Scale))];

    /// <summary>
    /// Where loaded adapters act in a text. An activated one acts from the last place of its invocation tokens on, and
    /// not at all in a text without them.
    /// </summary>
    /// <param name="adapters">The adapters.</param>
    /// <param name="prompt">Where the invocation tokens are looked for.</param>
    /// <exception cref="InferenceException">Two of them are activated ones, or the model's cache can't be shared so.</exception>
    public AdapterPlan Plan(AdapterSet adapters, ReadOnlySpan<int> prompt)
    {
        var activated = adapters.Adapters.Where(a => _loaded[a.Name].Invocation.Count > 0).ToList();
        if (activated.Count == 0)
        {
            return AdapterPlan.Always(adapters);
        }

        if (activated.Count > 1)
        {
            throw new InferenceException(
                InferenceError.Adapter,
                $"'{activated[0].Name}' and '{activated[1].Name}' are both activated adapters, and a request can use one.",
                "Name one of them.");
        }

        var others = AdapterSet.From([.. adapters.Adapters.Where(a => a != activated[0])]);
        var start = prompt.LastIndexOf(_loaded[activated[0].Name].Invocation.ToArray());
        if (start < 0)
        {
            return AdapterPlan.Always(others);
        }

        if (start > 0 && !driver.Info.CanCut)
        {
            throw new InferenceException(
                InferenceError.Adapter,
                $"'{activated[0].Name}' is an activated adapter, which cannot be switched on within a text of {driver.Info.Name}: a cache like its can't be shared in parts.",
                "Use an ordinary adapter.");
        }

        return AdapterPlan.From(others, adapters, start);
    }

    public static InferenceException Missing(string name) =>
        new(InferenceError.Adapter, $"There is no adapter '{name}'.", "List the adapters with `orchestrator model list`.");

    private static string Stamp(string path) => File.Exists(path)
        ? string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(path).Length} {File.GetLastWriteTimeUtc(path).Ticks}")
        : "";

    private sealed record Loaded(int Number, string Path, string Stamp, IReadOnlyList<int> Invocation);
}
