using System.Text.Json.Nodes;

namespace Orchestrator.Agents.Definitions;

/// <summary>Where something stands in a file, counted from 1.</summary>
internal readonly record struct Position(int Line, int Column);

/// <summary>A value that was read, and where it stands.</summary>
internal readonly record struct DefinitionValue(object? Value, Position Position);

/// <summary>An object of a definition file after it was checked against its shape.</summary>
internal sealed class DefinitionMap(string file, string path, Position position)
{
    private readonly Dictionary<string, DefinitionValue> _values = new(StringComparer.Ordinal);

    public Position Position { get; } = position;

    public IEnumerable<string> Keys => _values.Keys;

    public void Set(string key, DefinitionValue value) => _values[key] = value;

    public Position PositionOf(string key) => _values.TryGetValue(key, out var value) ? value.Position : Position;

    public string? Text(string key) => Get<string>(key);

    public int? Integer(string key) => Get(key) as int?;

    public double? Number(string key) => Get(key) as double?;

    public bool? Flag(string key) => Get(key) as bool?;

    public TimeSpan? Duration(string key) => Get(key) as TimeSpan?;

    public JsonNode? Anything(string key) => Get<JsonNode>(key);

    public DefinitionMap? Map(string key) => Get<DefinitionMap>(key);

    public IReadOnlyList<string> Texts(string key) =>
        [.. (Get<List<DefinitionValue>>(key) ?? []).Select(v => v.Value).OfType<string>()];

    public IReadOnlyList<DefinitionMap> Maps(string key) =>
        [.. (Get<List<DefinitionValue>>(key) ?? []).Select(v => v.Value).OfType<DefinitionMap>()];

    public IReadOnlyDictionary<string, string> TextMap(string key) =>
        Map(key) is { } map
            ? map._values.Where(v => v.Value.Value is string).ToDictionary(v => v.Key, v => (string)v.Value.Value!)
            : new Dictionary<string, string>();

    /// <summary>An error about a key of this object.</summary>
    public DefinitionError Error(string key, string message)
    {
        var (line, column) = PositionOf(key);
        return new DefinitionError(file, line, column, Child(key), message);
    }

    /// <summary>An error about one item of a list under a key.</summary>
    public DefinitionError ItemError(string key, int item, string message)
    {
        var (line, column) = (Get<List<DefinitionValue>>(key) ?? [])[item].Position;
        return new DefinitionError(file, line, column, $"{Child(key)}[{item}]", message);
    }

    private string Child(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private object? Get(string key) => _values.TryGetValue(key, out var value) ? value.Value : null;

    private T? Get<T>(string key)
        where T : class => Get(key) as T;
}
