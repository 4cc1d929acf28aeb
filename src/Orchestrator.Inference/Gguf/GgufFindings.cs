namespace Orchestrator.Inference.Gguf;

/// <summary>Collects problems, and asks typed questions of metadata that become problems where the type is wrong.</summary>
internal sealed class GgufFindings(string file)
{
    private readonly List<GgufProblem> _problems = [];

    internal IReadOnlyList<GgufProblem> Problems => _problems;

    internal void Add(string where, string cause) => Add(file, where, cause);

    internal void Add(string path, string where, string cause) => _problems.Add(new GgufProblem(path, where, cause));

    internal void Require(bool holds, string where, string cause)
    {
        if (!holds)
        {
            Add(where, cause);
        }
    }

    /// <summary>A scalar of exactly the type that the native loader asks for; null and a problem where it has another, null where it is missing.</summary>
    internal T? Scalar<T>(GgufMetadata metadata, string key, GgufValueType type)
        where T : struct
    {
        if (!metadata.TryGet(key, out var value))
        {
            return null;
        }

        if (value.Content is T content)
        {
            return content;
        }

        Add(key, $"the value is of type {value.TypeName}, but must be {GgufValue.Name(type)}");
        return null;
    }

    internal uint? UInt32(GgufMetadata metadata, string key) => Scalar<uint>(metadata, key, GgufValueType.UInt32);

    internal float? Float32(GgufMetadata metadata, string key) => Scalar<float>(metadata, key, GgufValueType.Float32);

    internal bool? Bool(GgufMetadata metadata, string key) => Scalar<bool>(metadata, key, GgufValueType.Bool);

    internal string? Text(GgufMetadata metadata, string key)
    {
        if (!metadata.TryGet(key, out var value))
        {
            return null;
        }

        if (value.Content is string text)
        {
            return text;
        }

        Add(key, $"the value is of type {value.TypeName}, but must be str");
        return null;
    }

    /// <summary>A value for each layer: a scalar for all, or an array with one for each.</summary>
    internal uint[]? PerLayer(GgufMetadata metadata, string key, int layers)
    {
        if (!metadata.TryGet(key, out var value))
        {
            return null;
        }

        var values = value.Content switch
        {
            uint scalar => Enumerable.Repeat(scalar, layers).ToArray(),
            uint[] array => array,
            int[] array => Array.ConvertAll(array, v => (uint)v),
            _ => null,
        };
        if (values is null)
        {
            Add(key, $"the value is of type {value.TypeName}, but must be u32, or an array of them");
        }
        else if (values.Length != layers)
        {
            Add(key, $"there are {values.Length} values for {layers} layers");
            return null;
        }

        return values;
    }
}
