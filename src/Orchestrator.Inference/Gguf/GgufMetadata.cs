using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Inference.Gguf;

/// <summary>The keys and values of a GGUF file, in the file's order.</summary>
public sealed class GgufMetadata : IReadOnlyCollection<KeyValuePair<string, GgufValue>>
{
    private readonly OrderedDictionary<string, GgufValue> _values = new(StringComparer.Ordinal);

    /// <summary>Number of keys.</summary>
    public int Count => _values.Count;

    /// <summary>The value of a key. Setting a key that exists replaces its value in place.</summary>
    /// <param name="key">Such as <c>general.architecture</c>.</param>
    /// <exception cref="KeyNotFoundException">On reading, there is no such key.</exception>
    public GgufValue this[string key]
    {
        get => _values[key];
        set => _values[key] = value;
    }

    /// <summary>Whether there is such a key.</summary>
    /// <param name="key">The key.</param>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Finds a key's value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    public bool TryGet(string key, [NotNullWhen(true)] out GgufValue? value) => _values.TryGetValue(key, out value);

    /// <summary>Adds a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <returns>False, and nothing changed, where the key exists.</returns>
    public bool TryAdd(string key, GgufValue value) => _values.TryAdd(key, value);

    /// <summary>Takes a key out.</summary>
    /// <param name="key">The key.</param>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string key) => _values.Remove(key);

    /// <summary>A string, or null where the key is missing or is of another type.</summary>
    /// <param name="key">The key.</param>
    public string? Text(string key) => TryGet(key, out var value) ? value.Content as string : null;

    /// <summary>An integer of any width, or null where the key is missing or is of another type.</summary>
    /// <param name="key">The key.</param>
    public long? Integer(string key) => TryGet(key, out var value) ? value.AsInteger : null;

    /// <summary>A number, or null where the key is missing or is of another type.</summary>
    /// <param name="key">The key.</param>
    public double? Number(string key) => TryGet(key, out var value) ? value.AsNumber : null;

    /// <summary>A bool, or null where the key is missing or is of another type.</summary>
    /// <param name="key">The key.</param>
    public bool? Flag(string key) => TryGet(key, out var value) ? value.Content as bool? : null;

    /// <summary>An array of strings, or null where the key is missing or is of another type.</summary>
    /// <param name="key">The key.</param>
    public GgufStrings? Strings(string key) => TryGet(key, out var value) ? value.Content as GgufStrings : null;

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, GgufValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
